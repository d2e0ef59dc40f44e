// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { defaultBounds, renderBoundedJson, type WrittenObjects } from "./bounded-json.ts";

const read = (value: unknown, bounds: Partial<typeof defaultBounds> = {}): unknown =>
  JSON.parse(renderBoundedJson(value, { ...defaultBounds, ...bounds }));

describe("bounded JSON", () => {
  test.each([
    ["a text", 'a "b"\n\u2028', 'a "b"\n\u2028'],
    ["numbers", [1, -0.5, Number.POSITIVE_INFINITY, Number.NaN], [1, -0.5, "Infinity", "NaN"]],
    ["a bigint", { id: 2n ** 64n }, { id: "18446744073709551616" }],
    ["null and booleans", [null, true, false], [null, true, false]],
    ["undefined members and functions", { a: undefined, b: () => {}, c: 1 }, { c: 1 }],
    ["undefined in a list", [undefined, () => {}, 1], [null, null, 1]],
    [
      "a map",
      new Map<unknown, unknown>([
        ["app", "web"],
        [7, new Set(["x"])],
      ]),
      { app: "web", "7": ["x"] },
    ],
    [
      "a value with a toJSON method",
      { child: { secret: 1, toJSON: () => ({ id: "c1" }) } },
      { child: { id: "c1" } },
    ],
    ["keys from outside", JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {"a": 1}}')],
    ["nothing", undefined, null],
  ])("writes %s", (_, value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  test("cuts long texts, also of keys", () => {
    expect(read({ ["k".repeat(9)]: "v".repeat(9) }, { maxText: 4 })).toEqual({ "kkkk…": "vvvv…" });
  });

  test("cuts long lists and objects", () => {
    expect(read([1, 2, 3], { maxMembers: 2 })).toEqual([1, 2, "…"]);
    expect(read({ a: 1, b: 2, c: 3 }, { maxMembers: 2 })).toEqual({ a: 1, b: 2, "…": true });
  });

  test("cuts what is nested deeply, and what contains itself", () => {
    expect(read({ a: { b: { c: 1 } } }, { maxDepth: 2 })).toEqual({ a: { b: { "…": true } } });
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(renderBoundedJson(loop).length).toBeLessThan(200);
  });

  test("is not longer than its bound and one text", () => {
    const wide = (depth: number): unknown =>
      depth === 0
        ? "x".repeat(1000)
        : Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`k${at}`, wide(depth - 1)]));
    const text = renderBoundedJson(wide(3));
    expect(text.length).toBeLessThan(defaultBounds.maxLength + 2 * defaultBounds.maxText + 200);
    expect(() => JSON.parse(text)).not.toThrow();
  });
});

describe("objects that were written before", () => {
  const shared = { name: "x".repeat(100), inner: { inner: { inner: { name: "y".repeat(100) } } } };
  /** The same with the texts of what was written, and without. */
  const writeTwice = (values: readonly unknown[], bounds: Partial<typeof defaultBounds> = {}) => {
    const all = { ...defaultBounds, ...bounds };
    const written: WrittenObjects = new WeakMap();
    return {
      shared: values.map((value) => renderBoundedJson(value, all, written)),
      plain: values.map((value) => renderBoundedJson(value, all)),
    };
  };

  test.each<[string, readonly unknown[], Partial<typeof defaultBounds>]>([
    ["are the same elsewhere", [shared, { a: shared, b: [shared] }], {}],
    ["are cut where they are too deep", [shared, { a: { a: { a: shared } } }], { maxDepth: 5 }],
    ["are cut where the whole is too long", [shared, [shared, shared, shared]], { maxLength: 400 }],
    ["are whole where they were cut before", [{ a: { a: { a: shared } } }, shared], { maxDepth: 5 }],
  ])("%s", (_, values, bounds) => {
    const texts = writeTwice(values, bounds);
    expect(texts.shared).toEqual(texts.plain);
  });
});
