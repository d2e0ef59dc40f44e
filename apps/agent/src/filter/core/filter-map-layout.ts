// SPDX-License-Identifier: Apache-2.0
// Keys and values of the filter maps as bytes, in the byte order of the processor: little endian wherever Bun runs.

/** Size of a filter key with its terminating zero: domain (63), namespace (63), name (253), selector. */
export const KEY_BYTES = 512;

export const toIdKey = (filterId: number): Uint8Array => new Uint8Array(new Uint32Array([filterId]).buffer);

/** A map of maps is written with descriptors and read with map ids. */
export const toMapId = (value: Uint8Array): number =>
  new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true);

export const toCgroupKey = (...cgroupIds: readonly bigint[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(cgroupIds).buffer);

/** All keys in one buffer. */
export const toCgroupKeys = (cgroupIds: Iterable<bigint>): Uint8Array =>
  new Uint8Array(BigUint64Array.from(cgroupIds).buffer);

export const toFilterIds = (keys: Uint8Array): readonly number[] => [...new Uint32Array(keys.slice().buffer)];

export const toCgroupIds = (keys: Uint8Array): readonly bigint[] => [
  ...new BigUint64Array(keys.slice().buffer),
];

/** Undefined for a key that does not fit with its terminating zero. */
export function encodeKey(key: string): Uint8Array | undefined {
  const text = new TextEncoder().encode(key);
  if (text.length >= KEY_BYTES) return undefined;
  const bytes = new Uint8Array(KEY_BYTES);
  bytes.set(text);
  return bytes;
}

export function decodeKey(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? bytes.length : end));
}
