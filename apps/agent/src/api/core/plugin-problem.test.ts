// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createPluginProblem } from "./plugin-problem.ts";

test("a problem is there until the plugin takes it back, or falls silent", () => {
  let nowMs = 0;
  const { report, problem } = createPluginProblem(() => nowMs);
  expect(problem()).toBe("");
  report("not synchronized");
  expect(problem()).toBe("NRI plugin: not synchronized");
  report("");
  expect(problem()).toBe("");
  report("not synchronized");
  nowMs += 3 * 60_000;
  expect(problem()).not.toBe("");
  nowMs += 1;
  expect(problem()).toBe("");
});

test("its length is bounded", () => {
  const { report, problem } = createPluginProblem(() => 0);
  report("x".repeat(10_000));
  expect(problem().length).toBeLessThan(320);
});
