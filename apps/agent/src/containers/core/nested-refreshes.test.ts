// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createNestedRefreshes } from "./nested-refreshes.ts";

/** A clock that work and pauses advance. */
function begin(costMs: (containerId: string) => number) {
  let time = 0;
  let later: { readonly at: number; readonly callback: () => void } | undefined;
  const seen: { readonly containerId: string; readonly at: number }[] = [];
  const refreshes = createNestedRefreshes({
    refresh(containerId) {
      seen.push({ containerId, at: time });
      time += costMs(containerId);
      return false;
    },
    time: {
      unixMs: () => time,
      now: () => time,
      after(ms, callback) {
        later = { at: time + ms, callback };
        return () => {
          later = undefined;
        };
      },
    },
  });
  /** Everything that is due until then. */
  const runUntil = (end: number): void => {
    while (later !== undefined && later.at <= end) {
      const due = later;
      later = undefined;
      time = Math.max(time, due.at);
      due.callback();
    }
    time = Math.max(time, end);
  };
  return { refreshes, seen, runUntil, now: () => time };
}

const count = (seen: readonly { readonly containerId: string }[], id: string): number =>
  seen.filter(({ containerId }) => containerId === id).length;

test("cheap refreshes run at once", () => {
  const { refreshes, seen } = begin(() => 0);
  for (let at = 0; at < 100; at++) refreshes.request("a");
  expect(seen).toHaveLength(100);
});

test("a container that requests without pause gets its share of the time, and is refreshed repeatedly", () => {
  const { refreshes, seen, runUntil } = begin(() => 10);
  for (let at = 0; at < 60_000; at += 20) {
    refreshes.request("storm");
    runUntil(at);
  }
  const busyMs = count(seen, "storm") * 10;
  expect(busyMs).toBeLessThanOrEqual(0.02 * 60_000 + 40);
  expect(busyMs).toBeGreaterThan(0.01 * 60_000);
});

test("many of them leave most of the time to others, and a quiet container has its turn", () => {
  const { refreshes, seen, runUntil, now } = begin((id) => (id === "quiet" ? 0 : 10));
  const waits: number[] = [];
  for (let at = 0; at < 60_000; at += 20) {
    for (let storm = 0; storm < 50; storm++) refreshes.request(`storm-${storm}`);
    if (at % 1000 === 0) {
      const asked = now();
      const before = count(seen, "quiet");
      refreshes.request("quiet");
      for (let until = asked; count(seen, "quiet") === before; until += 20) runUntil(until);
      waits.push(now() - asked);
    }
    runUntil(at);
  }
  const busyMs = seen.filter(({ containerId }) => containerId !== "quiet").length * 10;
  expect(busyMs).toBeLessThanOrEqual(0.2 * now() + 40);
  expect(Math.max(...waits)).toBeLessThan(50 * 10 * 6);
  for (let storm = 0; storm < 50; storm++) expect(count(seen, `storm-${storm}`)).toBeGreaterThan(5);
});

test("a forgotten or closed container is not refreshed", () => {
  const { refreshes, seen, runUntil } = begin(() => 100);
  refreshes.request("a");
  refreshes.request("b");
  refreshes.forget("b");
  refreshes.request("c");
  refreshes.close();
  runUntil(1_000_000);
  expect(seen.map(({ containerId }) => containerId)).toEqual(["a"]);
});
