// SPDX-License-Identifier: Apache-2.0
// Huffman decoding of RFC 7541 section 5.2, bit by bit and without a table to build: the code is canonical,
// so the symbols in the order of their codes and the number of codes of each length say everything.

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
  // How many codes have 0, 1, 2, … 30 bits.
  const counts = [
    0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 4,
  ];
  let text = "";
  let code = 0;
  let length = 0;
  /** The smallest code of the present length, and the place of its symbol. */
  let first = 0;
  let index = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = code * 2 + ((byte >> bit) & 1);
      first = first * 2;
      length += 1;
      const count = counts[length] ?? 0;
      const place = index + code - first;
      if (code - first < count) {
        if (place === EOS) {
          return undefined;
        }
        text += String.fromCharCode(Number.parseInt(SYMBOLS.slice(place * 2, place * 2 + 2), 16));
        code = 0;
        length = 0;
        first = 0;
        index = 0;
      } else {
        first += count;
        index += count;
      }
    }
  }
  // What is left over must be the beginning of EOS, all ones, and shorter than a byte.
  return length < 8 && code === 2 ** length - 1 ? text : undefined;
}
