// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createBootClock, openBootClock } from "./boot-clock.ts";

/** `readings`: boot, real, boot, for each call. */
function open(...readings: readonly bigint[]) {
  const left = [...readings];
  const read = (): bigint => {
    const next = left.shift();
    if (next === undefined) throw new Error("read too often");
    return next;
  };
  return createBootClock(read, read);
}

test("a wait between two readings does not move the boot", () => {
  const clock = open(...[100n, 1_100n, 100n], ...[200n, 1_250n, 300n], ...[400n, 1_400n, 900n]);
  expect([1, 2, 3].map(clock.bootTimeNs)).toEqual([1_000n, 1_000n, 1_000n]);
});

test("it moves when the clock is set", () => {
  const clock = open(...[100n, 1_100n, 100n], ...[200n, 51_201n, 202n], ...[300n, 900n, 300n]);
  expect([1, 2, 3].map(clock.bootTimeNs)).toEqual([1_000n, 50_999n, 600n]);
});

test("the clocks of the machine fit together", () => {
  const clock = openBootClock();
  const before = BigInt(Date.now()) * 1_000_000n;
  const now = clock.bootTimeNs() + clock.nowNs();
  const minute = 60_000_000_000n;
  expect(now).toBeGreaterThan(before - minute);
  expect(now).toBeLessThan(before + 60n * minute);
});
