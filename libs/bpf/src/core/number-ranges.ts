// SPDX-License-Identifier: Apache-2.0
// Sets of 64-bit numbers as ranges, which a comparison or a list of values is.

import type { Comparison, NumberFilter } from "@rthooks/policy";
import { type Prefix, toNumberPrefix } from "./prefix.ts";

/** Both ends are in it; without signs, so that -1 is the largest number. */
export interface NumberRange {
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = 64;
const LARGEST = (1n << 64n) - 1n;
const HALF = 1n << 63n;
/** All numbers. */
const everything: readonly NumberRange[] = [{ first: 0n, last: LARGEST }];

/** The numbers that match all of the filters: sorted, with gaps in between. */
export function findRanges(
  numbers: readonly NumberFilter[],
  comparisons: readonly Comparison[],
): readonly NumberRange[] {
  const sets = [
    ...numbers.map(({ values, isNegated }) => {
      const ranges = merge(values.map((value) => ({ first: wrap(value), last: wrap(value) })));
      return isNegated ? invert(ranges) : ranges;
    }),
    ...comparisons.map(toRanges),
  ];
  return sets.reduce(intersect, everything);
}

/** Of a comparison other than a mask. Several values are alternatives. */
function toRanges({ operator, isSigned, values }: Comparison): readonly NumberRange[] {
  const [least, most] = isSigned ? [-HALF, HALF - 1n] : [0n, LARGEST];
  const between = (first: bigint, last: bigint): readonly NumberRange[] => {
    const [from, to] = [first < least ? least : first, last > most ? most : last];
    if (from > to) return [];
    // Below 0 and from 0 on, each part goes up without a gap.
    return from < 0n && to >= 0n
      ? [
          { first: wrap(from), last: LARGEST },
          { first: 0n, last: to },
        ]
      : [{ first: wrap(from), last: wrap(to) }];
  };
  const pairs = (): readonly NumberRange[] =>
    values.flatMap((first, at) => (at % 2 === 0 ? between(first, values[at + 1] ?? first) : []));
  switch (operator) {
    case "gt":
      return merge(values.flatMap((value) => between(value + 1n, most)));
    case "lt":
      return merge(values.flatMap((value) => between(least, value - 1n)));
    case "notInRange":
      return invert(merge(pairs()));
    default:
      return merge(pairs());
  }
}

const wrap = (value: bigint): bigint => BigInt.asUintN(BITS, value);

export function invert(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const gaps: NumberRange[] = [];
  let next = 0n;
  for (const { first, last } of ranges) {
    if (first > next) gaps.push({ first: next, last: first - 1n });
    next = last + 1n;
  }
  return next > LARGEST ? gaps : [...gaps, { first: next, last: LARGEST }];
}

function merge(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const merged: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of ranges.toSorted((one, other) => (one.first < other.first ? -1 : 1))) {
    const before = merged.at(-1);
    if (before === undefined || first > before.last + 1n) merged.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  return merged;
}

function intersect(some: readonly NumberRange[], others: readonly NumberRange[]): readonly NumberRange[] {
  const common: NumberRange[] = [];
  for (let [one, other] = [0, 0]; one < some.length && other < others.length; ) {
    const [left, right] = [some[one], others[other]];
    if (left === undefined || right === undefined) break;
    const first = left.first > right.first ? left.first : right.first;
    const last = left.last < right.last ? left.last : right.last;
    if (first <= last) common.push({ first, last });
    if (left.last < right.last) one++;
    else other++;
  }
  return common;
}

/** The fewest prefixes that cover these numbers and no others: at most 126 for a range. Undefined for more than `most`. */
export function toNumberPrefixes(
  facet: number,
  ranges: readonly NumberRange[],
  most: number,
): readonly Prefix[] | undefined {
  const prefixes: Prefix[] = [];
  for (const { first, last } of ranges) {
    for (let at = first; at <= last; ) {
      let bits = 0;
      while (bits < BITS && (at >> BigInt(bits)) % 2n === 0n && at + (1n << BigInt(bits + 1)) - 1n <= last)
        bits++;
      if (prefixes.length === most) return undefined;
      prefixes.push(toNumberPrefix(facet, at, BITS - bits));
      at += 1n << BigInt(bits);
    }
  }
  return prefixes;
}
