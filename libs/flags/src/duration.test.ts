// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { formatDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  test.each([
    ["0", 0],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["250ms", 250],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1_000],
    ["100us", 0.1],
    ["100µs", 0.1],
    ["0s", 0],
    ["2562047h", 9_223_369_200_000],
  ])("%s is %d ms", (text, ms) => {
    const parsed = parseDuration(text);
    expect(parsed.ok ? parsed.value : parsed.error).toBeCloseTo(Number(ms), 6);
  });

  test.each([
    "",
    "10",
    "s",
    "-1s",
    "+1s",
    "1 s",
    "1x",
    "1s1",
    "1..2s",
    ".s",
    "1e3s",
    "10S",
    "0x1s",
    "9999999h",
    "∞s",
    "1sm",
    "constructor",
  ])("%p is refused", (text) => expect(parseDuration(text).ok).toBe(false));
});

test.each([0, 0.0005, 0.25, 1, 250, 999.5, 1_000, 10_000, 61_500, 5_400_000, 90_061_001])(
  "%d ms comes back from what is written for it",
  (ms) => {
    const parsed = parseDuration(formatDuration(ms));
    expect(parsed.ok ? parsed.value : parsed.error).toBeCloseTo(ms, 6);
  },
);

test.each([
  [10_000, "10s"],
  [90_000, "1m30s"],
  [250, "250ms"],
  [0, "0s"],
  [3_600_000, "1h0m0s"],
])("%d ms is written %s", (ms, text) => expect(formatDuration(Number(ms))).toBe(String(text)));
