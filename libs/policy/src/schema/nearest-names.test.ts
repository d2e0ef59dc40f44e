// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findNearestNames, joinNames } from "./nearest-names.ts";

const known = ["operator", "values", "index", "args"];

test("a slip, a wrong case and swapped letters are recognised", () => {
  expect(findNearestNames("operater", known)).toEqual(["operator"]);
  expect(findNearestNames("Values", known)).toEqual(["values"]);
  expect(findNearestNames("idnex", known)).toEqual(["index"]);
  expect(findNearestNames("vlaues", known)).toEqual(["values"]);
});

test("what is near to nothing or too long has no suggestion", () => {
  expect(findNearestNames("namespace", known)).toEqual([]);
  expect(findNearestNames("", known)).toEqual([]);
  expect(findNearestNames("a".repeat(100_000), known)).toEqual([]);
});

test("only the nearest are told, three at most", () => {
  expect(findNearestNames("ab", ["ac", "ad", "ae", "af"])).toEqual(["ac", "ad", "ae"]);
  expect(findNearestNames("args", ["arg", "args"])).toEqual(["args"]);
});

test("names are joined as one speaks", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(joinNames)).toEqual(["", "a", "a or b", "a, b or c"]);
});
