// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createByteQueue } from "./byte-queue.ts";

const numbers = (from: number, count: number) => Uint8Array.from({ length: count }, (_, at) => from + at);

test("bytes come out in order, and only as many as are wanted", () => {
  const queue = createByteQueue();
  queue.push(numbers(0, 3));
  expect(queue.take(4)).toBeUndefined();
  queue.push(numbers(3, 3));
  expect(queue.take(4)).toEqual(numbers(0, 4));
  expect(queue.length).toBe(2);
  expect(queue.take(2)).toEqual(numbers(4, 2));
  expect(queue.take(0)).toEqual(new Uint8Array());
});

test("it keeps its own copy, and gives away another", () => {
  const queue = createByteQueue();
  const lent = numbers(1, 4);
  queue.push(lent);
  lent.fill(0);
  const taken = queue.take(2);
  queue.push(numbers(9, 2));
  expect(queue.take(4)).toEqual(Uint8Array.of(3, 4, 9, 10));
  expect(taken).toEqual(Uint8Array.of(1, 2));
});

test("what was taken makes room for what comes", () => {
  const queue = createByteQueue();
  for (let round = 0; round < 1000; round++) {
    queue.push(numbers(round % 200, 7));
    expect(queue.take(5)?.[0]).toBeDefined();
    if (round % 2 === 1) expect(queue.take(4)).toHaveLength(4);
  }
  expect(queue.length).toBe(0);
});
