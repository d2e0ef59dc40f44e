// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { decodeHuffman } from "./huffman.ts";

/** RFC 7541 appendix B from its other side: the code length of each symbol, 0 to 256, in base 36. */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f5656566" +
  "6577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqop" +
  "jlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

test("a byte of every value is read back from the code that its length gives it", () => {
  const codes = canonicalCodes();
  for (let byte = 0; byte < 256; byte += 1) {
    expect(decodeHuffman(pad(codes[byte] ?? ""))).toBe(String.fromCharCode(byte));
  }
});

test("codes follow each other across bytes", () => {
  const codes = canonicalCodes();
  const all = Array.from({ length: 256 }, (_, byte) => (byte * 7) % 256);
  expect(decodeHuffman(pad(all.map((byte) => codes[byte]).join("")))).toBe(String.fromCharCode(...all));
});

test.each([
  { name: "nothing at all", bits: "", text: "" },
  { name: "seven bits of padding", bits: "0".repeat(25), text: "00000" },
  { name: "a whole byte of padding", bits: "11111111", text: undefined },
  { name: "padding that is not all ones", bits: "00000000", text: undefined },
  { name: "the code of EOS", bits: "11111111111111111111111111111111", text: undefined },
  { name: "a code cut short", bits: "1111111111111111", text: undefined },
])("$name", ({ bits, text }) => {
  expect(decodeHuffman(pad(bits))).toBe(text);
});

function canonicalCodes(): string[] {
  const lengths = [...LENGTHS].map((digit) => Number.parseInt(digit, 36));
  expect(lengths).toHaveLength(257);
  const codes: string[] = new Array(257).fill("");
  let code = 0n;
  for (let length = 1; length <= 30; length += 1) {
    lengths.forEach((symbolLength, symbol) => {
      if (symbolLength === length) {
        codes[symbol] = code.toString(2).padStart(length, "0");
        code += 1n;
      }
    });
    code *= 2n;
  }
  return codes;
}

function pad(bits: string): Uint8Array {
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Uint8Array.from(whole.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
