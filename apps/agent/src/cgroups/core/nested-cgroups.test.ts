// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { followNested, maxNested } from "./nested-cgroups.ts";

const cgroups = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ path: `/c/${from + at}`, id: BigInt(from + at) }));
const never = (): never => {
  throw new Error("the list is complete");
};

test("found cgroups are added in steps, and removed ones dropped in steps", () => {
  const found = { cgroups: cgroups(0, 200), isComplete: true };
  let followed: ReturnType<typeof cgroups> = [];
  let steps = 0;
  for (let hasMore = true; hasMore; steps++) {
    const step = followNested(followed, found, never);
    expect(step.cgroups.length - followed.length).toBeLessThanOrEqual(64);
    expect(step.isFull).toBe(false);
    followed = [...step.cgroups];
    hasMore = step.hasMore;
  }
  expect([followed.length, steps]).toEqual([200, 4]);
  for (let hasMore = true; hasMore; ) {
    const step = followNested(followed, { cgroups: [], isComplete: true }, never);
    expect(followed.length - step.cgroups.length).toBeLessThanOrEqual(64);
    followed = [...step.cgroups];
    hasMore = step.hasMore;
  }
  expect(followed).toEqual([]);
});

test("a followed cgroup stays while it exists, however many others are found", () => {
  const followed = cgroups(0, maxNested);
  const found = { cgroups: cgroups(5000, maxNested), isComplete: false };
  const all = followNested(followed, found, () => true);
  expect(all).toEqual({ cgroups: followed, hasMore: false, isFull: true });
  const exists = ({ id }: { readonly id: bigint }): boolean => id >= 10n;
  const some = followNested(followed, found, exists);
  expect(some.cgroups).toEqual([...followed.slice(10), ...found.cgroups.slice(0, 10)]);
});
