// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { describeCounts } from "./policy-enforcement.ts";

const none = { matches: 0, denials: 0, signals: 0, withheld: 0 };

test.each([
  ["0 matches", none],
  ["1 match, 1 denial", { ...none, matches: 1, denials: 1 }],
  ["1,200 matches, 3 signals", { ...none, matches: 1200, signals: 3 }],
  ["2 matches, 2 withheld in monitor mode", { ...none, matches: 2, withheld: 2 }],
  ["counts cannot be read", undefined],
])("%s", (text, counts) => {
  expect(describeCounts(counts)).toBe(text);
});
