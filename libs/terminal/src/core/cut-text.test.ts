// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { cutText } from "./cut-text.ts";

test.each([
  { text: "abcdef", columns: 6, shown: "abcdef" },
  { text: "abcdef", columns: 5, shown: "abcd…" },
  { text: "日本語", columns: 6, shown: "日本語" },
  // A wide character that would stand half outside is left out.
  { text: "日本語", columns: 5, shown: "日本…" },
  { text: "日本語", columns: 4, shown: "日…" },
  { text: "e\u0301e\u0301e\u0301", columns: 3, shown: "e\u0301e\u0301e\u0301" },
  { text: "e\u0301e\u0301e\u0301", columns: 2, shown: "e\u0301…" },
  { text: "🇩🇪🇫🇷", columns: 3, shown: "🇩🇪…" },
  { text: "ab", columns: 1, shown: "…" },
  { text: "ab", columns: 0, shown: "" },
  { text: "x".repeat(300), columns: Number.POSITIVE_INFINITY, shown: "x".repeat(300) },
])("$text in $columns columns", ({ text, columns, shown }) =>
  expect(cutText(text, columns, Bun.stringWidth)).toBe(shown),
);
