// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Window } from "./attempt-log.ts";
import { renderPlot } from "./plot.ts";

const one = (change: Partial<Window>): Window => ({
  ...{
    action: "exec",
    end: "stopped",
    startError: "",
    through: 0,
    openMs: 0,
    reopened: 0,
    firstNs: 0n,
    lastNs: 0n,
  },
  ...change,
});
const plot = (...windows: readonly Window[]): string =>
  renderPlot([{ scenario: { name: "a < b", subtitle: "", description: "" }, windows }], ["how & when"]);

test("containers in which nothing went through are counted and have no mark", () => {
  const drawn = plot(one({}), one({ through: 1, openMs: 100 }), one({ end: "not-started" }));
  expect(drawn).toContain(">1 of 2<");
  // One is that of the legend.
  expect(drawn.match(/<circle /g)).toHaveLength(2);
});

test("a mark further to the right is a longer time", () => {
  const places = [0, 1, 100, 1_000_000].map((openMs) =>
    Number(/<g class="mark exec"><circle cx="([\d.]+)"/.exec(plot(one({ through: 1, openMs })))?.[1]),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(new Set(places).size).toBe(4);
  expect(Math.max(...places)).toBeLessThan(900);
});

test("words of a scenario and of the method are text", () => {
  expect(plot()).toContain("a &lt; b");
  expect(plot()).toContain("how &amp; when");
});
