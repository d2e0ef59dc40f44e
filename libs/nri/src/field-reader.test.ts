// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createFieldReader, type FieldUse } from "./field-reader.ts";

function read(bytes: readonly number[], use: FieldUse = "whole", size = bytes.length) {
  const seen: unknown[] = [];
  const reader = createFieldReader({
    begin: () => use,
    whole: (field, whole) => void seen.push([field, ...whole]),
    piece: (field, piece) => void seen.push([field, ...piece]),
    varint: (field, value) => void seen.push([field, value]),
  });
  for (let at = 0; at < bytes.length; at += size) reader.receive(Uint8Array.from(bytes.slice(at, at + size)));
  return { seen, isComplete: reader.isComplete() };
}

// 1: "ab", 2: 300, 3: 4 bytes, 4: 8 bytes, 5: "" (a number's tag is its field times eight, plus its type)
const message = [0x0a, 2, 97, 98, 0x10, 0xac, 2, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 0];

test("a message gives the same fields in pieces of any size", () => {
  for (const size of [1, 2, 3, message.length]) {
    expect(read(message, "whole", size)).toEqual({ seen: [[1, 97, 98], [2, 300], [5]], isComplete: true });
  }
});

test("a field may be had in pieces, or not at all", () => {
  expect(read(message, "pieces", 3).seen).toEqual([
    [1, 97],
    [1, 98],
    [2, 300],
  ]);
  expect(read(message, "skip").seen).toEqual([[2, 300]]);
});

describe("what is no whole message is known as such", () => {
  for (const [name, bytes] of [
    ["half a tag", [0x80]],
    ["half a number", [0x10, 0xac]],
    ["fewer bytes than were announced", [0x0a, 2, 97]],
    ["a number of more than ten bytes", [0x10, ...Array<number>(11).fill(0x80)]],
    ["field 0", [0x02, 0]],
    ["a group", [0x0b, 0x0c]],
    ["type 7", [0x0f]],
  ] as const) {
    test(name, () => {
      const { isComplete } = read(bytes);
      expect(isComplete).toBe(false);
    });
  }
});
