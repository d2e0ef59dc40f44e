// SPDX-License-Identifier: Apache-2.0
// Header compression for one request: numbers of the static table's entries, and literals that no table remembers. A connection carries one request, so an index would never be used. All texts are byte texts.
import { toByteText } from "./bytes.ts";

/** A number with a prefix of `prefixBits` in a byte whose other bits are `pattern`: RFC 7541 section 5.1. */
export function encodeInteger(pattern: number, prefixBits: number, value: number): string {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    return String.fromCharCode(pattern | value);
  }
  let out = String.fromCharCode(pattern | mask);
  let rest = value - mask;
  for (; rest >= 128; rest >>>= 7) {
    out += String.fromCharCode((rest & 0x7f) | 0x80);
  }
  return out + String.fromCharCode(rest);
}

/** A literal without indexing; `name` is text, or the index of a static table entry that has the name. */
export function encodeLiteral(name: string | number, value: string): string {
  const head = typeof name === "number" ? encodeInteger(0, 4, name) : `\0${encodeString(name)}`;
  return head + encodeString(value);
}

function encodeString(text: string): string {
  const bytes = toUtf8(text);
  return encodeInteger(0, 7, bytes.length) + bytes;
}

function toUtf8(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) {
      return toByteText(new TextEncoder().encode(text));
    }
  }
  return text;
}
