// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createBoundedQueue, type Queued } from "./bounded-queue.ts";

const drain = <T>(take: () => Queued<T> | undefined): readonly unknown[] => {
  const taken: unknown[] = [];
  for (let one = take(); one !== undefined; one = take()) taken.push(one);
  return taken;
};

test("items come in their order, and the number of those that found no room after them", () => {
  const queue = createBoundedQueue<number>(3);
  for (const item of [1, 2, 3, 4, 5]) queue.push(item);
  expect(drain(queue.take)).toEqual([{ item: 1 }, { item: 2 }, { item: 3 }, { missed: 2 }]);
  queue.push(6);
  expect(drain(queue.take)).toEqual([{ item: 6 }]);
});

test("an item that follows a missed one is missed, so that nothing is out of order", () => {
  const queue = createBoundedQueue<number>(2);
  for (const item of [1, 2, 3]) queue.push(item);
  expect(queue.take()).toEqual({ item: 1 });
  queue.push(4);
  expect(drain(queue.take)).toEqual([{ item: 2 }, { missed: 2 }]);
});

test("items may take different parts of the capacity", () => {
  const queue = createBoundedQueue<string>(5, (text) => text.length);
  expect(["abc", "de", "f"].map((text) => queue.push(text))).toEqual([true, true, false]);
  expect([queue.take(), queue.take(), queue.take()]).toEqual([
    { item: "abc" },
    { item: "de" },
    { missed: 1 },
  ]);
  expect(queue.push("abcde")).toBe(true);
  expect(queue.push("abcdef")).toBe(false);
});

test("a queue that is never empty keeps its order", () => {
  const queue = createBoundedQueue<number>(10_000);
  let next = 0;
  let pushed = 0;
  for (let round = 0; round < 3000; round++) {
    queue.push(pushed++);
    queue.push(pushed++);
    expect(queue.take()).toEqual({ item: next++ });
  }
});
