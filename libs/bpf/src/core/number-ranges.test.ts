// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Comparison } from "@rthooks/policy";
import { findRanges, invert, toNumberPrefixes } from "./number-ranges.ts";
import { toNumberPrefix } from "./prefix.ts";
import { createPrefixGroup } from "./prefix-group.ts";

const compare = (
  operator: Comparison["operator"],
  values: readonly bigint[],
  isSigned = false,
): Comparison => ({ facet: "arg0", operator, values, isSigned });

const HALF = 1n << 63n;
const LARGEST = (1n << 64n) - 1n;
const samples = [0n, 1n, 4n, 5n, 6n, 99n, 100n, 101n, HALF - 1n, HALF, LARGEST - 4n, LARGEST];
/** Of the samples, as numbers without signs. */
const select = (ranges: ReturnType<typeof findRanges>): readonly bigint[] =>
  samples.filter((value) => ranges.some(({ first, last }) => value >= first && value <= last));

test.each([
  { what: "more than", comparison: compare("gt", [5n]), is: (value: bigint) => value > 5n },
  { what: "more than a negative number", comparison: compare("gt", [-5n], true), is: isAbove(-5n) },
  { what: "less than", comparison: compare("lt", [5n]), is: (value: bigint) => value < 5n },
  { what: "less than, signed", comparison: compare("lt", [5n], true), is: isBelow(5n) },
  { what: "less than the least", comparison: compare("lt", [-HALF], true), is: () => false },
  { what: "more than the most", comparison: compare("gt", [LARGEST]), is: () => false },
  { what: "in a range", comparison: compare("inRange", [5n, 100n]), is: isIn(5n, 100n) },
  { what: "in a range across 0", comparison: compare("inRange", [-5n, 5n], true), is: isIn(-5n, 5n, true) },
  {
    what: "in a range that ends before it begins",
    comparison: compare("inRange", [9n, 5n]),
    is: () => false,
  },
  {
    what: "in one of two ranges",
    comparison: compare("inRange", [1n, 4n, 99n, 100n]),
    is: (value: bigint) => isIn(1n, 4n)(value) || isIn(99n, 100n)(value),
  },
  {
    what: "in none of two ranges",
    comparison: compare("notInRange", [1n, 4n, 99n, 100n]),
    is: (value: bigint) => !isIn(1n, 4n)(value) && !isIn(99n, 100n)(value),
  },
])("$what", ({ comparison, is }) => {
  expect(select(findRanges([], [comparison]))).toEqual(samples.filter(is));
});

test("filters on one number are all to match", () => {
  const values = (list: readonly bigint[], isNegated: boolean) => ({
    ...{ facet: "arg0" as const, values: list, isNegated },
  });
  expect(select(findRanges([values([5n, 6n, -1n], false), values([6n], true)], []))).toEqual([5n, LARGEST]);
  expect(select(findRanges([values([5n], true)], [compare("gt", [4n]), compare("lt", [100n])]))).toEqual([
    ...[6n, 99n],
  ]);
  expect(findRanges([values([5n], false)], [compare("lt", [5n])])).toEqual([]);
});

test("prefixes cover the numbers of a range and no others", () => {
  for (const ranges of [
    [{ first: 0n, last: LARGEST }],
    [{ first: 1n, last: LARGEST }],
    [{ first: 5n, last: 100n }],
    [
      { first: 0n, last: 0n },
      { first: HALF - 1n, last: HALF },
    ],
  ]) {
    const prefixes = toNumberPrefixes(2, ranges, 126) ?? [];
    expect(prefixes.length).toBeLessThanOrEqual(126);
    const group = createPrefixGroup<true>();
    for (const prefix of prefixes) group.set(prefix, true);
    const covered = samples.filter((value) => group.find(toNumberPrefix(2, value, 64)) !== undefined);
    expect(covered).toEqual([...select(ranges)]);
    expect(select(invert(ranges))).toEqual(samples.filter((value) => !covered.includes(value)));
  }
});

function isIn(first: bigint, last: bigint, isSigned = false): (value: bigint) => boolean {
  return (value) => {
    const read = isSigned ? BigInt.asIntN(64, value) : value;
    return read >= first && read <= last;
  };
}
function isAbove(least: bigint): (value: bigint) => boolean {
  return (value) => BigInt.asIntN(64, value) > least;
}
function isBelow(most: bigint): (value: bigint) => boolean {
  return (value) => BigInt.asIntN(64, value) < most;
}

test("more prefixes than allowed are not made", () => {
  const ranges = [{ first: 1n, last: LARGEST - 1n }];
  expect(toNumberPrefixes(2, ranges, 126)).toHaveLength(126);
  expect(toNumberPrefixes(2, ranges, 125)).toBeUndefined();
});
