// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toAddressPrefix, toPrefixName, toTextPrefix } from "./prefix.ts";

test("an exact text includes its end, and fits or is refused", () => {
  expect(toTextPrefix(0, "/a", "exact")?.bits).toBe(32);
  expect(toTextPrefix(0, `/${"a".repeat(253)}`, "exact")?.bits).toBe(2_048);
  expect(toTextPrefix(0, `/${"a".repeat(254)}`, "exact")).toBeUndefined();
  expect(toTextPrefix(0, `/${"a".repeat(254)}`, "prefix")?.bits).toBe(2_048);
  expect(toTextPrefix(0, `/${"a".repeat(254)}`, "postfix")?.bits).toBe(2_048);
  expect(toTextPrefix(0, "/a\0b", "exact")).toBeUndefined();
});

test.each([
  { text: "169.254.169.254", bits: 136, hex: "0100000000000000000000ffffa9fea9fe" },
  { text: "10.1.2.3/8", bits: 112, hex: "0100000000000000000000ffff0a000000" },
  { text: "fd00::1/7", bits: 15, hex: `01fc${"0".repeat(30)}` },
  { text: "::/0", bits: 8, hex: `01${"0".repeat(32)}` },
])("an address is a prefix of 128 bits behind its facet: $text", ({ text, bits, hex }) => {
  expect(toAddressPrefix(1, text)).toEqual({ bits, bytes: Uint8Array.fromHex(hex) });
});

test.each(["", "example.org", "10.0.0.0/33", "1.2.3", "/8"])("%p is not an address", (text) => {
  expect(toAddressPrefix(0, text)).toBeUndefined();
});

test("a name cut to some bits is that of the shorter prefix", () => {
  const [long, short] = [toAddressPrefix(1, "10.15.0.1"), toAddressPrefix(1, "10.8.0.0/13")];
  if (long === undefined || short === undefined) throw new Error("no prefix");
  expect(toPrefixName(long, short.bits)).toBe(toPrefixName(short, short.bits));
  expect(toPrefixName(long, short.bits + 1)).not.toBe(toPrefixName(short, short.bits + 1));
});
