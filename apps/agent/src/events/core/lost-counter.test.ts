// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createLostCounter, type LostCounts } from "./lost-counter.ts";

function open() {
  let now: LostCounts | undefined = new Map([
    ["exec", 10n],
    ["match", 5n],
  ]);
  return {
    read: () => now,
    set(exec: bigint, match: bigint) {
      now = new Map([
        ["exec", exec],
        ["match", match],
      ]);
    },
    fail() {
      now = undefined;
    },
  };
}

test("what earlier agents lost does not count", () => {
  const kernel = open();
  const counter = createLostCounter(kernel.read, undefined);
  expect(counter.count()).toMatchObject({ lost: { exec: 0, match: 0, fork: 0 }, added: 0 });
  kernel.set(13n, 6n);
  expect(counter.count()).toMatchObject({ lost: { exec: 3, match: 1 }, added: 4 });
  expect(counter.count()).toMatchObject({ lost: { exec: 3, match: 1 }, added: 0 });
});

test("what was lost between two threads is counted by the second one, and told once", () => {
  const kernel = open();
  const { first, count } = createLostCounter(kernel.read, undefined);
  kernel.set(12n, 5n);
  expect(count().added).toBe(2);
  kernel.set(12n, 100n);
  const next = createLostCounter(kernel.read, { first, told: 2 });
  expect(next.count()).toMatchObject({ lost: { exec: 2, match: 95 }, added: 95 });
  expect(next.count().added).toBe(0);
});

test("counters that cannot be read now stay what they were", () => {
  const kernel = open();
  const counter = createLostCounter(kernel.read, undefined);
  kernel.set(11n, 5n);
  counter.count();
  kernel.fail();
  expect(counter.count()).toMatchObject({ lost: { exec: 1 }, added: 0 });
});
