// SPDX-License-Identifier: Apache-2.0
// Header compression for one request: names and pairs of the static table, the rest as literals that no
// table remembers. A connection carries one request, so an index would never be used.

/** A number behind a prefix of `prefixBits` in a byte that already holds `pattern`: RFC 7541 section 5.1. */
export function encodeInteger(pattern: number, prefixBits: number, value: number): number[] {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    return [pattern | value];
  }
  const out = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    out.push((rest % 128) | 0x80);
  }
  out.push(rest);
  return out;
}

/** A pair of the static table. */
export function encodeIndexed(index: number): Uint8Array {
  return Uint8Array.from(encodeInteger(0x80, 7, index));
}

/** A literal without indexing; `name` is text, or the index of a static table entry that has the name. */
export function encodeLiteral(name: string | number, value: string): Uint8Array {
  const valueBytes = new TextEncoder().encode(value);
  const head = typeof name === "number" ? encodeInteger(0, 4, name) : [0, ...encodeName(name)];
  head.push(...encodeInteger(0, 7, valueBytes.length));
  const out = new Uint8Array(head.length + valueBytes.length);
  out.set(head);
  out.set(valueBytes, head.length);
  return out;
}

function encodeName(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...encodeInteger(0, 7, bytes.length), ...bytes];
}
