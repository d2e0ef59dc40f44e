// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { findClockGap, orderSteps, type TimedStep } from "./order-steps.ts";

/** "hook>agent@5" */
const parse = (text: string): TimedStep => {
  const [, from = "", to = "", at = ""] = /^(\w+)>(\w+)@(\d+)$/.exec(text) ?? [];
  return { from, to, atMs: Number(at) };
};
const render = ({ from, to, atMs }: TimedStep): string => `${from}>${to}@${atMs}`;

describe("the steps of hook and agent", () => {
  test.each([
    [
      "are ordered by time",
      ["agent>pods@6", "hook>agent@5", "hook>hook@1", "pods>agent@8"],
      undefined,
      ["hook>hook@1", "hook>agent@5", "agent>pods@6", "pods>agent@8"],
    ],
    [
      "the agent does nothing before it is called",
      ["hook>hook@1", "agent>agent@2", "agent>kernel@3", "hook>agent@5"],
      undefined,
      ["hook>hook@1", "hook>agent@5", "agent>agent@2", "agent>kernel@3"],
    ],
    [
      "the answer follows the call",
      ["hook>agent@5", "hook>agent@7", "agent>agent@3"],
      "agent>hook@4",
      ["hook>agent@5", "agent>agent@3", "hook>agent@7", "agent>hook@4"],
    ],
    [
      "what the hook does after the answer stands after it",
      ["hook>agent@5", "agent>agent@8", "hook>hook@7"],
      "agent>hook@9",
      ["hook>agent@5", "agent>agent@8", "agent>hook@9", "hook>hook@7"],
    ],
    [
      "without an answer the hook goes on while the agent works",
      ["hook>agent@5", "agent>agent@6", "hook>hook@7", "agent>agent@9"],
      undefined,
      ["hook>agent@5", "agent>agent@6", "hook>hook@7", "agent>agent@9"],
    ],
    [
      "without a call nothing is moved",
      ["agent>agent@3", "hook>hook@1", "hook>hook@7"],
      "agent>hook@4",
      ["hook>hook@1", "agent>agent@3", "agent>hook@4", "hook>hook@7"],
    ],
  ])("%s", (_, steps, answer, expected) => {
    const ordered = orderSteps(steps.map(parse), answer === undefined ? undefined : parse(answer), "hook");
    expect(ordered.map(render)).toEqual(expected);
  });
});

test.each([
  ["no step", [], 0],
  ["times in order", [1, 2, 2, 5], 0],
  ["one step back", [1, 4, 3, 5], 1],
  ["the widest step back counts, from the latest time before", [1, 9, 8, 6, 9], 3],
])("the clocks differ at least by: %s", (_, times, expected) => {
  expect(findClockGap(times.map((atMs) => ({ from: "a", to: "a", atMs })))).toBe(expected);
});
