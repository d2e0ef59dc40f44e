// SPDX-License-Identifier: Apache-2.0
// The filters of a rule, put together for each facet: what the maps must answer for it.

import type { Comparison, KernelRule, RuleFilters } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { addressFacets, numberFacets, textFacets } from "./facets.ts";
import { findRanges, invert, toNumberPrefixes } from "./number-ranges.ts";
import { KEY_TEXT_BYTES, type Prefix, toAddressPrefix, toNumberPrefix, toTextPrefix } from "./prefix.ts";
import { createPrefixGroup } from "./prefix-group.ts";
import type { PrefixMatch } from "./prefix-table.ts";

/** The maps that find a rule by the longest prefix of a value; also the names of the sets of rules with such filters. */
export const prefixMaps = ["numbers", "texts", "endings", "addresses"] as const; // const: the names are a union

export interface FacetMatch {
  readonly map: (typeof prefixMaps)[number];
  /** An event without the facet matches. */
  readonly isAbsentMatch: boolean;
  readonly match: PrefixMatch;
}

export interface CompiledFilters {
  readonly facets: readonly FacetMatch[];
  /** Bits of a mask, one of which a number must have. */
  readonly masks: readonly { readonly facet: number; readonly mask: bigint }[];
}

/** The error is one line and names the value that cannot be compared. */
export function compileFilters({ filters }: Pick<KernelRule, "filters">): Result<CompiledFilters, string> {
  const masks = compileMasks(filters);
  if (!masks.ok) return masks;
  const facets: FacetMatch[] = [];
  const all = [...compileNumbers(filters), ...compileTexts(filters), ...compileAddresses(filters)];
  for (const compiled of all) {
    if (!compiled.ok) return compiled;
    facets.push(compiled.value);
  }
  return ok({ facets, masks: masks.value });
}

/** Entries of a map: checked before the work. */
const MAX_PREFIXES = 16_384;

function compileNumbers({ numbers, comparisons }: RuleFilters): readonly Result<FacetMatch, string>[] {
  return numberFacets.flatMap((name, facet): readonly Result<FacetMatch, string>[] => {
    const values = numbers.filter((filter) => filter.facet === name);
    const ranges = comparisons.filter((one) => one.facet === name && one.operator !== "mask");
    if (values.length + ranges.length === 0) return [];
    const matching = findRanges(values, ranges);
    const others = invert(matching);
    // Of the two the shorter list: all numbers but one are two ranges.
    const isNegated = others.length < matching.length;
    const prefixes = toNumberPrefixes(facet, isNegated ? others : matching, MAX_PREFIXES);
    if (prefixes === undefined)
      return [err(`${name}: more than ${MAX_PREFIXES} prefixes of numbers to compare`)];
    const isAbsentMatch =
      values.every((filter) => filter.isNegated) && ranges.every(({ operator }) => operator === "notInRange");
    return [ok({ map: "numbers", isAbsentMatch, match: toMatch(facet, [{ prefixes, isNegated }]) })];
  });
}

function compileMasks({ comparisons }: RuleFilters): Result<CompiledFilters["masks"], string> {
  const masks = comparisons.filter(({ operator }) => operator === "mask");
  const twice = masks.find(({ facet }, at) => masks.findIndex((one) => one.facet === facet) !== at);
  if (twice !== undefined) return err(`two masks for ${twice.facet}: the programs compare one`);
  const toMask = ({ values }: Comparison): bigint =>
    values.reduce((bits, value) => bits | BigInt.asUintN(64, value), 0n);
  return ok(masks.map((one) => ({ facet: numberFacets.indexOf(one.facet), mask: toMask(one) })));
}

function compileTexts({ texts }: RuleFilters): readonly Result<FacetMatch, string>[] {
  return textFacets.flatMap((name, facet) => {
    const own = texts.filter((filter) => filter.facet === name);
    const isAbsentMatch = own.every(({ isNegated }) => isNegated);
    const compile = (map: "texts" | "endings"): readonly Result<FacetMatch, string>[] => {
      const some = own.filter(({ match }) => (match === "postfix") === (map === "endings"));
      if (some.length === 0) return [];
      return [
        toFacetMatch(map, facet, isAbsentMatch, some, (text, { match }) => toTextPrefix(facet, text, match)),
      ];
    };
    return [...compile("texts"), ...compile("endings")];
  });
}

function compileAddresses({ addresses }: RuleFilters): readonly Result<FacetMatch, string>[] {
  return addressFacets.flatMap((name, facet) => {
    const own = addresses.filter((filter) => filter.facet === name);
    if (own.length === 0) return [];
    const filters = own.map(({ blocks, isNegated }) => ({ values: blocks, isNegated }));
    const isAbsentMatch = own.every(({ isNegated }) => isNegated);
    return [toFacetMatch("addresses", facet, isAbsentMatch, filters, (text) => toAddressPrefix(facet, text))];
  });
}

interface ValueFilter {
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

function toFacetMatch<F extends ValueFilter>(
  map: FacetMatch["map"],
  facet: number,
  isAbsentMatch: boolean,
  filters: readonly F[],
  toPrefix: (value: string, filter: F) => Prefix | undefined,
): Result<FacetMatch, string> {
  const parts: { prefixes: readonly Prefix[]; isNegated: boolean }[] = [];
  for (const filter of filters) {
    const prefixes: Prefix[] = [];
    for (const value of filter.values) {
      const prefix = toPrefix(value, filter);
      if (prefix === undefined) return err(describeValue(map, value));
      prefixes.push(prefix);
    }
    parts.push({ prefixes, isNegated: filter.isNegated });
  }
  const count = parts.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
  if (count > MAX_PREFIXES) return err(`${count} values to compare, of ${MAX_PREFIXES}`);
  return ok({ map, isAbsentMatch, match: toMatch(facet, parts) });
}

const describeValue = (map: FacetMatch["map"], value: string): string =>
  map === "addresses"
    ? `not an address: ${value.slice(0, KEY_TEXT_BYTES)}`
    : `not a text of less than ${KEY_TEXT_BYTES} bytes: ${value.slice(0, KEY_TEXT_BYTES)}`;

/** All of the parts must match; each by one of its prefixes, or, negated, by none. */
function toMatch(
  facet: number,
  parts: readonly { readonly prefixes: readonly Prefix[]; readonly isNegated: boolean }[],
): PrefixMatch {
  const groups = parts.map(({ prefixes, isNegated }) => {
    const group = createPrefixGroup<true>();
    for (const prefix of prefixes) group.set(prefix, true);
    return { group, isNegated };
  });
  return {
    facet,
    prefixes: parts.flatMap(({ prefixes }) => prefixes),
    matches: (prefix) =>
      groups.every(({ group, isNegated }) => (group.find(prefix) !== undefined) !== isNegated),
  };
}

/** Covers all values of the facet in the map. */
export function toWholeFacet(map: FacetMatch["map"], facet: number): Prefix {
  if (map === "numbers") return toNumberPrefix(facet, 0n, 0);
  const prefix = map === "addresses" ? toAddressPrefix(facet, "::/0") : toTextPrefix(facet, "", "prefix");
  if (prefix === undefined) throw new RangeError("no prefix of everything");
  return prefix;
}
