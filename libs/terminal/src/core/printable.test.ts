// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toPrintable } from "./printable.ts";

test.each([
  { what: "an ANSI sequence", text: "\u001b[2J\u001b]0;x\u0007", shown: "\\u{1b}[2J\\u{1b}]0;x\\u{7}" },
  { what: "a C1 control", text: "\u009b31m", shown: "\\u{9b}31m" },
  { what: "line ends", text: "a\r\nb\u2028c", shown: "a\\u{d}\\u{a}b\\u{2028}c" },
  { what: "a bidirectional override", text: "a\u202eb", shown: "a\\u{202e}b" },
  { what: "letters from right to left", text: "a\u05d0\u0627", shown: "a\\u{5d0}\\u{627}" },
  { what: "a joiner and a filler", text: "a\u200db\u3164", shown: "a\\u{200d}b\\u{3164}" },
  { what: "half of a pair", text: "a\ud800", shown: "a\\u{d800}" },
  { what: "an unassigned character", text: "\u{e01f0}", shown: "\\u{e01f0}" },
  { what: "a mark without a character", text: "\u0301a", shown: "\\u{301}a" },
  { what: "a pile of marks", text: "a\u0301\u0302\u0303\u0304", shown: "a\u0301\u0302\u0303\\u{304}" },
])("$what is escaped", ({ text, shown }) => expect(toPrintable(text)).toBe(shown));

test.each(["web-0", "日本語", "한국어", "🚀", "e\u0301", "नमस्ते", "a b"])("%s stays", (text) =>
  expect(toPrintable(text)).toBe(text),
);

test("a long hostile text is escaped in linear time", () => {
  const text = `a${"\u0301".repeat(65_536)}`;
  expect(toPrintable(text)).toBe(`a${"\u0301".repeat(3)}${"\\u{301}".repeat(65_533)}`);
});
