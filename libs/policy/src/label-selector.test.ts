// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import {
  findAnchor,
  type LabelRequirement,
  type LabelSelector,
  matchAll,
  matchesSelector,
} from "./label-selector.ts";

const select = (
  matchLabels: Readonly<Record<string, string>>,
  ...matchExpressions: readonly LabelRequirement[]
): LabelSelector => ({ matchLabels: new Map(Object.entries(matchLabels)), matchExpressions });
const labels = new Map([
  ["app", "web"],
  ["tier", ""],
]);

const rows: readonly (readonly [string, LabelSelector, boolean])[] = [
  ["nothing asked", matchAll, true],
  ["an equal label", select({ app: "web" }), true],
  ["another value", select({ app: "db" }), false],
  ["an empty value is a value", select({ tier: "" }), true],
  ["an absent label is no empty value", select({ none: "" }), false],
  ["all labels, not one of them", select({ app: "web", none: "x" }), false],
  ["In", select({}, { key: "app", operator: "In", values: ["db", "web"] }), true],
  ["In, absent", select({}, { key: "none", operator: "In", values: [""] }), false],
  ["NotIn", select({}, { key: "app", operator: "NotIn", values: ["web"] }), false],
  ["NotIn, absent", select({}, { key: "none", operator: "NotIn", values: ["web"] }), true],
  ["Exists", select({}, { key: "tier", operator: "Exists" }), true],
  ["Exists, absent", select({}, { key: "none", operator: "Exists" }), false],
  ["DoesNotExist", select({}, { key: "tier", operator: "DoesNotExist" }), false],
  ["DoesNotExist, absent", select({}, { key: "none", operator: "DoesNotExist" }), true],
  ["labels and expressions", select({ app: "web" }, { key: "tier", operator: "DoesNotExist" }), false],
];

describe("a selector", () => {
  test.each(rows)("%s", (_name, selector, expected) => {
    expect(matchesSelector(selector, labels)).toBe(expected);
  });

  test("names what a match cannot do without", () => {
    expect(findAnchor(select({ app: "web" }))).toEqual({ key: "app", values: ["web"] });
    expect(findAnchor(select({}, { key: "app", operator: "In", values: ["a", "b"] }))).toMatchObject({
      key: "app",
      values: ["a", "b"],
    });
    expect(findAnchor(select({}, { key: "app", operator: "NotIn", values: ["a"] }))).toBeUndefined();
    expect(findAnchor(select({}, { key: "app", operator: "Exists" }))).toBeUndefined();
  });
});
