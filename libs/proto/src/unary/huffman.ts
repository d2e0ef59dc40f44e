// SPDX-License-Identifier: Apache-2.0
// Huffman decoding of RFC 7541 section 5.2 without a table to build: the code is canonical, so the symbols in the
// order of their codes and the number of codes of each length say everything.

/** The 256 bytes in the order of their codes (RFC 7541 appendix B), in hexadecimal. EOS comes last, after them. */
const SYMBOLS =
  "303132616365696f737420252d2e2f333435363738393d415f62646667686c6d6e7072753a42434445464748494a4b4c4d4e4f50" +
  "51525354555657596a6b71767778797a262a2c3b585a212228293f272b7c233e0024405b5d7e5e7d3c607b5cc3d0808283a2b8c2" +
  "e0e299a1a7acb0b1b3d1d8d9e3e5e68184858688929a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e90187898a8b8c8d8f939596" +
  "97989b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef098e9091949fabced7e1ecedc7cfeaebc0c1c8c9cacdd2d5dadbeef0f2f3ffcbccd3" +
  "d4d6dddedff1f4f5f6f7f8fafbfcfdfe020304050607080b0c0e0f1011121314151718191a1b1c1d1e1f7fdcf90a0d16";

const EOS = 256;

/** The text, one character per byte; undefined where the bytes are no code: wrong padding, or EOS. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  const end = bytes.length * 8;
  let text = "";
  let at = 0;
  while (at < end) {
    // As peekByte, which is not called here because of the loop: see bytes.ts on what is compiled.
    const index = at >> 3;
    const next = ((((bytes[index] ?? 0xff) << 8) | (bytes[index + 1] ?? 0xff)) >> (8 - (at & 7))) & 0xff;
    // Codes of five to eight bits, of which headers are made, in one step.
    let bits = 8;
    let place = next - 180;
    if (next < 0x50) {
      bits = 5;
      place = next >> 3;
    } else if (next < 0xb8) {
      bits = 6;
      place = (next >> 2) - 10;
    } else if (next < 0xf8) {
      bits = 7;
      place = (next >> 1) - 56;
    } else if (next >= 0xfe) {
      const long = findLong(bytes, at);
      if (long === undefined || long.place === EOS) {
        break;
      }
      ({ bits, place } = long);
    }
    if (at + bits > end) {
      break;
    }
    text += String.fromCharCode(Number.parseInt(SYMBOLS.slice(place * 2, place * 2 + 2), 16));
    at += bits;
  }
  // What is left over must be the beginning of EOS, all ones, and shorter than a byte.
  return end - at < 8 && (at === end || peekByte(bytes, at) === 0xff) ? text : undefined;
}

/** Eight bits from the bit at `at` on; ones where the bytes have ended. */
function peekByte(bytes: Uint8Array, at: number): number {
  const index = at >> 3;
  const pair = ((bytes[index] ?? 0xff) << 8) | (bytes[index + 1] ?? 0xff);
  return (pair >> (8 - (at & 7))) & 0xff;
}

/** How many codes have 10, 11, … 30 bits; the first of ten bits is 0x3f8 and stands in place 74. */
const LONG_COUNTS = [5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 4];

/** The code of more than eight bits at `at`; undefined where the bytes end within it. */
function findLong(
  bytes: Uint8Array,
  at: number,
): { readonly bits: number; readonly place: number } | undefined {
  let first = 0x3f8;
  let firstPlace = 74;
  let code = (peekByte(bytes, at) << 2) | (peekByte(bytes, at + 8) >> 6);
  for (const [index, count] of LONG_COUNTS.entries()) {
    const bits = 10 + index;
    if (at + bits > bytes.length * 8) {
      return undefined;
    }
    if (code - first < count) {
      return { bits, place: firstPlace + code - first };
    }
    firstPlace += count;
    first = (first + count) * 2;
    code = code * 2 + (peekByte(bytes, at + bits) >> 7);
  }
  return undefined;
}
