// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createLostContainers } from "./lost-containers.ts";
import type { RunningContainer } from "./running-container.ts";

const lost = (containerId: string): RunningContainer => ({
  ...{ containerId, containerName: "app", image: "web:1", podUids: ["u"] },
  ...{ podNamespace: "shop", podName: "web-0", podLabels: undefined, source: "scan" },
});
const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

test("a container that stays lost is a problem after a while, and news once", () => {
  const some = createLostContainers();
  const news = [0, 10, 15, 20].map((at) => some.note(lost("a"), "why", seconds(at)));
  expect(news).toEqual([false, false, true, false]);
  expect(some.problem(seconds(14))).toBe("");
  expect(some.problem(seconds(15))).toContain("shop/web-0/app");
  some.note(lost("b"), "why", seconds(1));
  expect(some.problem(seconds(60))).toEndWith("shop/web-0/app and 1 more");
  some.keep(new Set(["b"]));
  expect(some.list()).toMatchObject([{ id: "b", state: "missing", error: "why" }]);
  some.keep(new Set());
  expect(some.problem(seconds(99))).toBe("");
  // It is looked for from the beginning.
  expect(some.note(lost("a"), "why", seconds(100))).toBe(false);
});
