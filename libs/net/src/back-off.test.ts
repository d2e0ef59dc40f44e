// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createBackOff, toPauseMs } from "./back-off.ts";

const range = { firstMs: 20, longestMs: 100 };

test("a pause doubles up to the longest, and a success begins again", () => {
  const backOff = createBackOff(range);
  const four = (): readonly number[] => [backOff.next(), backOff.next(), backOff.next(), backOff.next()];
  expect(four()).toEqual([20, 40, 80, 100]);
  backOff.reset();
  expect(four()).toEqual([20, 40, 80, 100]);
});

test("chance takes up to a half off", () => {
  expect(createBackOff(range, () => 0).next()).toBe(10);
  expect(createBackOff(range, () => 0.5).next()).toBe(15);
});

test("however many attempts, the pause is a number", () => {
  expect([0, 1, 2, 5_000].map((attempts) => toPauseMs(attempts, range))).toEqual([20, 20, 40, 100]);
});
