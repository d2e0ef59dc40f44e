// SPDX-License-Identifier: Apache-2.0
// Keys of longest-prefix matches: struct number_key, text_key and address_key of bpf/rules.h.

import { parseBlock, parseIp } from "@rthooks/net";

/** The first bits of a facet's number and a value. */
export interface Prefix {
  /** With the eight of the facet. */
  readonly bits: number;
  /** What is after the last bit is 0. */
  readonly bytes: Uint8Array;
}

const FACET_BITS = 8;
/** Bytes of a text that a rule can compare; an exact text needs one for its end. */
export const KEY_TEXT_BYTES = 255;
const NUMBER_BYTES = 8;

const toPrefix = (facet: number, bits: number, value: Uint8Array): Prefix => {
  const bytes = new Uint8Array(1 + value.length);
  bytes[0] = facet;
  bytes.set(value, 1);
  return { bits: FACET_BITS + bits, bytes };
};

/** The numbers whose highest bits are those of `number`. */
export function toNumberPrefix(facet: number, number: bigint, bits: number): Prefix {
  const value = new Uint8Array(NUMBER_BYTES);
  new DataView(value.buffer).setBigUint64(0, number);
  return toPrefix(facet, bits, value);
}

/** Undefined for a text that is too long to compare, or with a zero in it. */
export function toTextPrefix(
  facet: number,
  text: string,
  match: "exact" | "prefix" | "postfix",
): Prefix | undefined {
  const written = new TextEncoder().encode(text);
  const length = written.length + (match === "exact" ? 1 : 0);
  if (length > KEY_TEXT_BYTES || written.includes(0)) return undefined;
  const value = new Uint8Array(KEY_TEXT_BYTES);
  value.set(match === "postfix" ? written.toReversed() : written);
  return toPrefix(facet, length * 8, value);
}

/** Of an address or a block of them in CIDR notation; undefined for other text. */
export function toAddressPrefix(facet: number, text: string): Prefix | undefined {
  const address = parseIp(text);
  const block = address === undefined ? parseBlock(text) : { base: address, bits: 128 };
  if (block === undefined) return undefined;
  const { base, bits } = block;
  const value = base.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))));
  return toPrefix(facet, bits, value);
}

/** `keySize`: of the map; the rest of a key is not compared. */
export function encodePrefix({ bits, bytes }: Prefix, keySize: number): Uint8Array {
  const key = new Uint8Array(keySize);
  new DataView(key.buffer).setUint32(0, bits, true);
  key.set(bytes, 4);
  return key;
}

/** `length`: of the prefix's bytes. */
export function decodePrefix(key: Uint8Array, length: number): Prefix {
  return {
    bits: new DataView(key.buffer, key.byteOffset).getUint32(0, true),
    bytes: key.slice(4, 4 + length),
  };
}

/** Equal for equal prefixes, and for a prefix cut to some bits equal to that of the shorter one. */
export function toPrefixName({ bytes }: Prefix, bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  if (rest === 0) return `${bits}:${bytes.subarray(0, whole).toHex()}`;
  const cut = bytes.slice(0, whole + 1);
  cut[whole] = (cut[whole] ?? 0) & (0xff00 >> rest);
  return `${bits}:${cut.toHex()}`;
}
