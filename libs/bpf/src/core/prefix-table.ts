// SPDX-License-Identifier: Apache-2.0
// The content of a longest-prefix map that gives the rules of a value in one lookup. Each entry has all rules that match
// a value for which it is the longest prefix, those of shorter prefixes included.

import type { Prefix } from "./prefix.ts";
import { createPrefixGroup, type PrefixGroup } from "./prefix-group.ts";
import type { RuleSet } from "./rule-layout.ts";

export interface PrefixEntry {
  readonly prefix: Prefix;
  readonly rules: RuleSet;
}

/** Which values of a facet a rule matches. */
export interface PrefixMatch {
  readonly facet: number;
  /** Where the answer changes: a value has that of the longest of these, or of the whole facet, that covers it. */
  readonly prefixes: readonly Prefix[];
  matches(prefix: Prefix): boolean;
}

/** A copy of the map, facet by facet. */
export interface PrefixTable {
  set(entry: PrefixEntry): void;
  delete(prefix: Prefix): void;
  entries(): Iterable<PrefixEntry>;
  size(): number;
  /**
   * The entries to set, so that the rule matches these values of a whole facet and no others. For every other rule each
   * intermediate state is the same as before and after: a new entry has the rules of the one that covered it.
   */
  findPuts(rule: number, match: PrefixMatch, whole: Prefix): readonly PrefixEntry[];
  /** The entries to set, so that these rules match nothing. */
  findClears(rules: ReadonlySet<number>): readonly PrefixEntry[];
  /** The entries without which every lookup in these facets gives the same, in the order in which they can go. */
  findRedundant(facets: ReadonlySet<number>): readonly Prefix[];
}

export function createPrefixTable(): PrefixTable {
  const groups = new Map<number, PrefixGroup<RuleSet>>();
  const groupOf = ({ bytes }: Prefix): PrefixGroup<RuleSet> => {
    const facet = bytes[0] ?? 0;
    const group = groups.get(facet) ?? createPrefixGroup<RuleSet>();
    groups.set(facet, group);
    return group;
  };
  function* entries(): Iterable<PrefixEntry> {
    for (const group of groups.values()) {
      for (const { prefix, value } of group.entries()) yield { prefix, rules: value };
    }
  }

  return {
    set: ({ prefix, rules }) => groupOf(prefix).set(prefix, rules),
    delete: (prefix) => groupOf(prefix).delete(prefix),
    entries,
    size: () => [...groups.values()].reduce((sum, group) => sum + group.size, 0),
    findPuts(rule, { prefixes, matches }, whole) {
      const group = groupOf(whole);
      const result = createPrefixGroup<RuleSet>();
      const puts: PrefixEntry[] = [];
      for (const { prefix, value } of group.entries()) {
        const rules = toggle(value, rule, matches(prefix));
        result.set(prefix, rules);
        if (rules !== value) puts.push({ prefix, rules });
      }
      // The shortest first: an entry is needed if the one that covers it has other rules.
      for (const prefix of [whole, ...prefixes].toSorted((one, other) => one.bits - other.bits)) {
        if (result.has(prefix)) continue;
        const rules = toggle(group.find(prefix) ?? new Set(), rule, matches(prefix));
        if (isEqual(rules, result.find(prefix) ?? new Set())) continue;
        result.set(prefix, rules);
        puts.push({ prefix, rules });
      }
      return puts;
    },
    findClears: (gone) =>
      [...entries()]
        .map(({ prefix, rules }) => ({ prefix, before: rules.size, rules: rules.difference(gone) }))
        .filter(({ before, rules }) => rules.size < before),
    findRedundant: (facets) =>
      [...facets].flatMap((facet) => {
        const group = groups.get(facet);
        return group === undefined ? [] : findRedundant(group);
      }),
  };
}

/** The longest first: then what covers an entry is still there when the entry goes. */
function findRedundant(group: PrefixGroup<RuleSet>): readonly Prefix[] {
  const longestFirst = [...group.entries()].toSorted((one, other) => other.prefix.bits - one.prefix.bits);
  return longestFirst
    .filter(({ prefix, value }) =>
      isEqual(value, group.find({ ...prefix, bits: prefix.bits - 1 }) ?? new Set()),
    )
    .map(({ prefix }) => prefix);
}

/** The same set if there is nothing to change. */
const toggle = (rules: RuleSet, rule: number, isIn: boolean): RuleSet => {
  if (rules.has(rule) === isIn) return rules;
  return isIn ? new Set([...rules, rule]) : new Set([...rules].filter((one) => one !== rule));
};
const isEqual = (one: RuleSet, other: RuleSet): boolean =>
  one.size === other.size && [...one].every((rule) => other.has(rule));
