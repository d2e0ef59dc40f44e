// SPDX-License-Identifier: Apache-2.0
// What read(2) gives of an inotify descriptor: struct inotify_event of inotify(7), one behind the other.

/** include/uapi/linux/inotify.h */
export const IN_MODIFY = 0x2;
export const IN_ATTRIB = 0x4;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
export const IN_Q_OVERFLOW = 0x4000;
export const IN_IGNORED = 0x8000;
export const IN_ONLYDIR = 0x0100_0000;

export interface InotifyEvent {
  readonly watch: number;
  readonly mask: number;
  /** Of the entry in the watched directory; empty for the directory itself. */
  readonly name: string;
}

const HEADER_BYTES = 16;
const decoder = new TextDecoder();

/** The kernel writes whole events; undefined where the bytes are not that. */
export function decodeInotifyEvents(bytes: Uint8Array): readonly InotifyEvent[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: InotifyEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) return undefined;
    const end = at + HEADER_BYTES + view.getUint32(at + 12, true);
    if (end > bytes.length) return undefined;
    const padded = bytes.subarray(at + HEADER_BYTES, end);
    const nameEnd = padded.indexOf(0);
    const name = decoder.decode(nameEnd === -1 ? padded : padded.subarray(0, nameEnd));
    events.push({ watch: view.getInt32(at, true), mask: view.getUint32(at + 4, true), name });
    at = end;
  }
  return events;
}
