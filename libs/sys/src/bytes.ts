// SPDX-License-Identifier: Apache-2.0
// C structures as bytes; the layouts are the same on x86-64 and arm64 but for the place of st_mode.

import { abi, S_IFMT, S_IFREG } from "./abi.ts";
import { MAX_SOCKET_PATH_BYTES } from "./socket-path.ts";
import type { WallTime } from "./system.ts";

const encoder = new TextEncoder();

/** The text with its terminating NUL; `undefined` if it has one inside, where C would cut it. */
export function encodeCString(text: string): Uint8Array | undefined {
  return text.includes("\0") ? undefined : encoder.encode(`${text}\0`);
}

export const TIMESPEC_BYTES = 16;

/** struct timespec for a duration of less than 136 years, followed by a struct pollfd. */
export function encodePoll(fd: number, events: number, timeoutMs: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(TIMESPEC_BYTES + 8));
  const seconds = (timeoutMs / 1000) | 0;
  view.setUint32(0, seconds, true);
  view.setUint32(8, ((timeoutMs - seconds * 1000) * 1e6) | 0, true);
  view.setInt32(TIMESPEC_BYTES, fd, true);
  view.setInt16(TIMESPEC_BYTES + 4, events, true);
  return new Uint8Array(view.buffer);
}

/** The events that ppoll(2) wrote into the bytes of encodePoll. */
export function decodePoll(bytes: Uint8Array): number {
  return (bytes[TIMESPEC_BYTES + 6] ?? 0) | ((bytes[TIMESPEC_BYTES + 7] ?? 0) << 8);
}

/** Decodes struct timespec; valid until the year 287396. */
export function decodeTimespec(bytes: Uint8Array): WallTime {
  const view = new DataView(bytes.buffer);
  return {
    seconds: view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32,
    nanos: view.getUint32(8, true),
  };
}

/** struct sockaddr_un; `undefined` for a path that its 108 bytes cannot hold. */
export function encodeUnixAddress(path: string): Uint8Array | undefined {
  const name = encoder.encode(path);
  if (name.length > MAX_SOCKET_PATH_BYTES || name.includes(0)) return undefined;
  const bytes = new Uint8Array(2 + name.length + 1);
  bytes[0] = 1; // AF_UNIX, little endian
  bytes.set(name, 2);
  return bytes;
}

/** The used fields of struct stat. */
export interface FileStatus {
  /** The bytes of st_dev and st_ino, which are equal for the same file. */
  readonly identity: Uint8Array;
  readonly type: number;
  readonly size: number;
}

export const STAT_BYTES = 144;

export function decodeStat(bytes: Uint8Array): FileStatus {
  const view = new DataView(bytes.buffer);
  return {
    identity: bytes.subarray(0, 16),
    type: view.getUint32(abi.statModeOffset, true) & S_IFMT,
    size: view.getUint32(48, true) + view.getUint32(52, true) * 2 ** 32,
  };
}

export const isSameFile = (one: FileStatus, other: FileStatus): boolean =>
  one.identity.every((byte, at) => byte === other.identity[at]);

export const isRegular = (status: FileStatus): boolean => status.type === S_IFREG;
