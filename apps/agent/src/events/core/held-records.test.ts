// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { ExitRecord } from "@rthooks/bpf";
import { createHeldRecords } from "./held-records.ts";

let time = 0n;
const record = (container: bigint): ExitRecord => ({
  ...{ kind: "exit", time: ++time, container, startTime: 1n, pid: 1, tid: 1, uid: 0, parentPid: 0 },
  ...{ parentStartTime: 0n, exitCode: 0 },
});
const create = () => createHeldRecords({ forMs: 100, ofContainer: 3, inAll: 5 });

test("records wait for their container, in their order", () => {
  const held = create();
  const [first, other, second] = [record(1n), record(2n), record(1n)];
  for (const one of [first, other, second]) expect(held.hold(one, 0)).toEqual([]);
  expect(held.take(1n)).toEqual([first, second]);
  expect(held.take(1n)).toEqual([]);
  expect(held.take(2n)).toEqual([other]);
});

test("they wait so long, and the container's next ones do not, until it is known", () => {
  const held = create();
  const first = record(1n);
  held.hold(first, 0);
  expect(held.takeOverdue(99)).toEqual([]);
  expect(held.takeOverdue(100)).toEqual([first]);
  const second = record(1n);
  expect(held.hold(second, 101)).toEqual([second]);
  expect(held.take(1n)).toEqual([]);
  expect(held.hold(record(1n), 102)).toEqual([]);
});

test("one container has room for so many", () => {
  const held = create();
  const records = [record(1n), record(1n), record(1n), record(1n)];
  expect(records.flatMap((one) => held.hold(one, 0))).toEqual(records);
});

test("all containers have room for so many", () => {
  const held = create();
  for (const container of [1n, 1n, 1n, 2n, 2n]) expect(held.hold(record(container), 0)).toEqual([]);
  const one = record(3n);
  expect(held.hold(one, 0)).toEqual([one]);
  held.take(1n);
  expect(held.hold(record(4n), 0)).toEqual([]);
});
