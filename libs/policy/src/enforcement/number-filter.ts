// SPDX-License-Identifier: Apache-2.0
// Filters of a policy on numbers: arguments, ports, protocols, process ids.

import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import type { NumberType } from "./argument-place.ts";
import type { Comparison, NumberFacet, NumberFilter } from "./kernel-rule.ts";
import { describeNumber, parseNumber, parseRange, type Range } from "./number-values.ts";
import type { MissingCapability } from "./policy-rule.ts";

/** The kernel has an entry for each value of a set, and room for few ranges in a comparison. */
const maxValues = 1024;
const maxRanges = 4;

export type FoundNumbers = Result<
  { readonly numbers: readonly NumberFilter[]; readonly comparisons: readonly Comparison[] },
  MissingCapability
>;

export interface NumberSubject {
  readonly facet: NumberFacet;
  readonly type: NumberType;
  /** Of a value that is a name; undefined for an unknown one. */
  readonly toNumber?: (text: string) => bigint | undefined;
  /** "a port or a range of them like "1:1023"": what a value must be, where that is not a number. */
  readonly wanted?: string;
}

/** Undefined: the operator is not one for numbers. */
export function toNumberFilter(
  { operator, values }: Pick<ValueFilter, "operator" | "values">,
  subject: NumberSubject,
): FoundNumbers | undefined {
  const { facet, type } = subject;
  const compare = (comparison: Pick<Comparison, "operator" | "values">): FoundNumbers =>
    ok({ numbers: [], comparisons: [{ facet, isSigned: type.isSigned, ...comparison }] });
  switch (operator) {
    case "Equal":
    case "InMap":
      return toSet(values, subject, false);
    case "NotEqual":
    case "NotInMap":
      return toSet(values, subject, true);
    case "GT":
    case "GreaterThan":
    case "LT":
    case "LessThan":
    case "Mask": {
      const numbers = parseAll(values, (text) => parseOne(text, subject), describe(subject));
      if (!numbers.ok) return numbers;
      // Any of the values is enough.
      if (operator === "Mask")
        return compare({ operator: "mask", values: [numbers.value.reduce((all, one) => all | one, 0n)] });
      const isGreater = operator.startsWith("G");
      const bound = numbers.value.reduce((all, one) => (one < all === isGreater ? one : all));
      return compare({ operator: isGreater ? "gt" : "lt", values: [bound] });
    }
    case "InRange":
    case "NotInRange": {
      const ranges = parseAll(values, (text) => parseRange(text, type), 'a range of numbers like "1:10"');
      if (!ranges.ok) return ranges;
      return toRanges(ranges.value, subject, operator === "NotInRange");
    }
    default:
      return undefined;
  }
}

function toSet(values: readonly string[], subject: NumberSubject, isNegated: boolean): FoundNumbers {
  const toRange = (text: string): Range | undefined => {
    const one = parseOne(text, subject);
    return one === undefined ? parseRange(text, subject.type) : [one, one];
  };
  const ranges = parseAll(values, toRange, describe(subject));
  if (!ranges.ok) return ranges;
  const count = ranges.value.reduce((sum, [from, to]) => sum + (to - from) + 1n, 0n);
  if (count > maxValues) return toRanges(ranges.value, subject, isNegated);
  const found = new Set<bigint>();
  for (const [from, to] of ranges.value) for (let one = from; one <= to; one++) found.add(one);
  return ok({ numbers: [{ facet: subject.facet, values: [...found], isNegated }], comparisons: [] });
}

function toRanges(
  ranges: readonly Range[],
  { facet, type }: NumberSubject,
  isNegated: boolean,
): FoundNumbers {
  if (ranges.length > maxRanges)
    return err({ field: "values", needs: `at most ${maxValues} numbers, or ${maxRanges} ranges` });
  const operator = isNegated ? "notInRange" : "inRange";
  return ok({
    numbers: [],
    comparisons: [{ facet, operator, isSigned: type.isSigned, values: ranges.flat() }],
  });
}

const parseOne = (text: string, { type, toNumber }: NumberSubject): bigint | undefined =>
  toNumber?.(text) ?? parseNumber(text, type);

const describe = ({ type, wanted }: NumberSubject): string => wanted ?? describeNumber(type);

function parseAll<T>(
  values: readonly string[],
  parse: (text: string) => T | undefined,
  wanted: string,
): Result<readonly T[], MissingCapability> {
  const parsed: T[] = [];
  for (const [at, text] of values.entries()) {
    const one = parse(text);
    if (one === undefined)
      return err({ field: `values[${at}]`, needs: `${wanted}, not ${describeValue(text)}` });
    parsed.push(one);
  }
  return parsed.length === 0 ? err({ field: "values", needs: "a value" }) : ok(parsed);
}
