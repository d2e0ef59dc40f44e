// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { countFields } from "./count-fields.ts";

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

for (const [name, message, count] of [
  ["nothing", bytes(), 0],
  ["two empty messages", bytes(0x12, 0, 0x12, 0), 2],
  ["a message is one field, whatever is in it", bytes(0x0a, 4, 0x12, 0, 0x12, 0), 1],
  ["numbers of each width", bytes(0x08, 0x96, 0x01, 0x0d, 1, 2, 3, 4, 0x09, 1, 2, 3, 4, 5, 6, 7, 8), 3],
  ["a message that ends too early counts", bytes(0x12, 0x7f), 1],
  ["a tag that ends too early does not", bytes(0x12, 0, 0x80), 1],
  ["a length without an end", bytes(0x12, ...Array.from({ length: 12 }, () => 0xff)), 0],
  ["a type that is none", bytes(0x12, 0, 0x0f, 0x12, 0), 1],
  ["a length beyond all memory", bytes(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x12, 0), 1],
] as const) {
  test(name, () => expect(countFields(message, 10)).toBe(count));
}

test("the count ends behind the limit", () => {
  expect(
    countFields(
      new Uint8Array(1000).fill(0x12).map((value, at) => (at % 2 === 0 ? value : 0)),
      10,
    ),
  ).toBe(11);
});
