// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createBoundedQueue } from "./bounded-queue.ts";
import { createSharedRoom } from "./shared-room.ts";

const open = () => createSharedRoom({ own: 10, most: 50, shared: 60 });

test("a queue may have more than its own, as long as no other has it", () => {
  const room = open();
  expect([room.change(0, 51), room.change(0, 50), room.change(50, 51)]).toEqual([false, true, false]);
  // 20 are left.
  expect([room.change(0, 31), room.change(0, 30)]).toEqual([false, true]);
  expect([room.change(0, 11), room.change(0, 10)]).toEqual([false, true]);
  // What is given back others may have.
  expect([room.change(50, 49), room.change(10, 11), room.change(11, 12)]).toEqual([true, true, false]);
});

test("a queue gives back what it had, when it is read and when it ends", () => {
  const room = open();
  const create = () => createBoundedQueue<number>(room, (item) => item);
  const [one, other, last] = [create(), create(), create()];
  expect([one.push(50), other.push(20), other.push(10), other.push(1)]).toEqual([true, true, true, false]);
  expect([last.push(10), last.push(1)]).toEqual([true, false]);
  expect(one.take()).toEqual({ item: 50 });
  expect(last.take()).toEqual({ item: 10 });
  expect(last.take()).toEqual({ missed: 1 });
  expect(last.push(50)).toBe(true);
  other.clear();
  last.clear();
  expect([one.push(50), other.push(20), other.push(10)]).toEqual([true, true, true]);
});
