// SPDX-License-Identifier: Apache-2.0

/** Little-endian numbers and texts at any position. What is outside of the bytes reads as 0, or as an empty text. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly length: number;
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  /** Inexact from 2^53 on. */
  u64(at: number): number;
  /** Up to the next zero, at most 1,024 bytes. */
  text(at: number): string;
  /** Undefined if it is not completely inside. */
  part(at: number, length: number): Bytes | undefined;
}

const MAX_TEXT_BYTES = 1_024;
const decoder = new TextDecoder("latin1");

export function openBytes(bytes: Uint8Array): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  const isInside = (at: number, size: number): boolean =>
    Number.isSafeInteger(at) && at >= 0 && at + size <= length;
  return {
    bytes,
    length,
    u8: (at) => (isInside(at, 1) ? view.getUint8(at) : 0),
    u16: (at) => (isInside(at, 2) ? view.getUint16(at, true) : 0),
    u32: (at) => (isInside(at, 4) ? view.getUint32(at, true) : 0),
    u64: (at) => (isInside(at, 8) ? Number(view.getBigUint64(at, true)) : 0),
    text(at) {
      if (!isInside(at, 1)) return "";
      const some = bytes.subarray(at, at + MAX_TEXT_BYTES);
      const end = some.indexOf(0);
      return decoder.decode(end === -1 ? some : some.subarray(0, end));
    },
    part: (at, size) =>
      Number.isSafeInteger(size) && size >= 0 && isInside(at, size)
        ? openBytes(bytes.subarray(at, at + size))
        : undefined,
  };
}

/** A number of 4 bytes, as keys and values of maps have it. */
export const encodeNumber = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer);
