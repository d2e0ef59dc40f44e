// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createMissingContainers } from "./missing-containers.ts";
import type { RunningContainer } from "./running-container.ts";

const running = (containerId: string): RunningContainer => ({
  ...{ containerId, containerName: "app", image: "web:1", podUids: ["u"] },
  ...{ podNamespace: "shop", podName: "web-0", podLabels: undefined, source: "scan" },
});
const seconds = (count: number): bigint => BigInt(count) * 1_000_000_000n;

test("a container that stays missing becomes a problem after the grace period, and is reported once", () => {
  const some = createMissingContainers();
  const reports = [0, 10, 15, 20].map((at) => some.add(running("a"), "why", seconds(at)));
  expect(reports).toEqual([false, false, true, false]);
  expect(some.problem(seconds(14))).toBe("");
  expect(some.problem(seconds(15))).toContain("shop/web-0/app");
  some.add(running("b"), "why", seconds(1));
  expect(some.problem(seconds(60))).toEndWith("shop/web-0/app and 1 more");
  some.retain(new Set(["b"]));
  expect(some.list()).toMatchObject([{ id: "b", state: "missing", error: "why" }]);
  some.retain(new Set());
  expect(some.problem(seconds(99))).toBe("");
  // A new grace period begins.
  expect(some.add(running("a"), "why", seconds(100))).toBe(false);
});
