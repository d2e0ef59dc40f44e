// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { fromByteText } from "./bytes.ts";
import { encodeInteger, encodeLiteral } from "./hpack-encode.ts";

test.each([
  { name: "C.1.1: 10 behind a prefix of 5 bits", prefixBits: 5, value: 10, hex: "0a" },
  { name: "C.1.2: 1337 behind a prefix of 5 bits", prefixBits: 5, value: 1337, hex: "1f9a0a" },
  { name: "C.1.3: 42 in a whole byte", prefixBits: 8, value: 42, hex: "2a" },
  { name: "the largest number that fits the prefix", prefixBits: 4, value: 14, hex: "0e" },
  { name: "the smallest that does not", prefixBits: 4, value: 15, hex: "0f00" },
])("RFC 7541 appendix $name", ({ prefixBits, value, hex }) => {
  expect(fromByteText(encodeInteger(0, prefixBits, value)).toHex()).toBe(hex);
});

test.each([
  {
    name: "a name of the static table (C.2.2)",
    bytes: encodeLiteral(4, "/sample/path"),
    hex: "040c2f73616d706c652f70617468",
  },
  { name: "a name behind the prefix", bytes: encodeLiteral(58, "a"), hex: "0f2b0161" },
  { name: "a name of our own", bytes: encodeLiteral("te", "x"), hex: "000274650178" },
  { name: "text outside ASCII as UTF-8", bytes: encodeLiteral(4, "ü"), hex: "0402c3bc" },
])("$name", ({ bytes, hex }) => {
  expect(fromByteText(bytes).toHex()).toBe(hex);
});
