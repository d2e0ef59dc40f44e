// SPDX-License-Identifier: Apache-2.0
// The content of a longest-prefix map that gives the rules of a value in one lookup. Each entry has all rules that match
// a value for which it is the longest prefix, those of shorter prefixes included.

import type { Prefix, RuleSet } from "./rule-layout.ts";

export interface PrefixEntry {
  readonly prefix: Prefix;
  readonly rules: RuleSet;
}

/** By `toPrefixName`. */
export type PrefixTable = ReadonlyMap<string, PrefixEntry>;

/** Which values a rule matches: those that one of the prefixes covers, or all others. */
export interface PrefixMatch {
  readonly prefixes: readonly Prefix[];
  readonly isNegated: boolean;
}

/** Equal for equal prefixes. */
export const toPrefixName = ({ bits, bytes }: Prefix): string =>
  `${bits}:${bytes.subarray(0, Math.ceil(bits / 8)).toHex()}`;

/**
 * The entries to set, so that the rule matches these values and no others. For every other rule each intermediate state
 * is the same as before and after: a new entry has the rules of the one that covered it.
 */
export function findPuts(
  table: PrefixTable,
  rule: number,
  { prefixes, isNegated }: PrefixMatch,
  length: number,
): readonly PrefixEntry[] {
  const everything: Prefix = { bits: 0, bytes: new Uint8Array(length) };
  const added = [everything, ...prefixes]
    .filter((prefix) => !table.has(toPrefixName(prefix)))
    .map((prefix) => ({ prefix, rules: findRules(table, prefix) }));
  const isNew = new Set(added.map(({ prefix }) => toPrefixName(prefix)));
  return [...table.values(), ...added].flatMap((entry) => {
    const matches = prefixes.some((one) => isCovered(entry.prefix, one)) !== isNegated;
    if (entry.rules.has(rule) === matches && !isNew.has(toPrefixName(entry.prefix))) return [];
    const rules = new Set(entry.rules);
    if (matches) rules.add(rule);
    else rules.delete(rule);
    return [{ prefix: entry.prefix, rules }];
  });
}

/** The entries to set and to delete, so that the rule matches nothing and no entry is there without need. */
export function findRemovals(
  table: PrefixTable,
  rule: number,
): { readonly puts: readonly PrefixEntry[]; readonly deletions: readonly Prefix[] } {
  const puts = [...table.values()]
    .filter(({ rules }) => rules.has(rule))
    .map(({ prefix, rules }) => ({ prefix, rules: new Set([...rules].filter((one) => one !== rule)) }));
  const without = new Map(table);
  for (const entry of puts) without.set(toPrefixName(entry.prefix), entry);
  const deletions: Prefix[] = [];
  for (const [name, { prefix, rules }] of without) {
    const others = new Map(without);
    others.delete(name);
    if (isEqual(rules, findRules(others, prefix))) deletions.push(prefix);
  }
  return { puts, deletions };
}

/** What a lookup gives: the rules of the longest prefix that covers this one. */
export function findRules(table: PrefixTable, wanted: Prefix): RuleSet {
  let longest: PrefixEntry | undefined;
  for (const entry of table.values()) {
    if (isCovered(wanted, entry.prefix) && entry.prefix.bits >= (longest?.prefix.bits ?? 0)) longest = entry;
  }
  return longest?.rules ?? new Set();
}

const isEqual = (one: RuleSet, other: RuleSet): boolean =>
  one.size === other.size && [...one].every((rule) => other.has(rule));

/** Whether all values below `inner` are also below `outer`. */
function isCovered(inner: Prefix, outer: Prefix): boolean {
  if (inner.bits < outer.bits) return false;
  const whole = outer.bits >> 3;
  for (let at = 0; at < whole; at++) if (inner.bytes[at] !== outer.bytes[at]) return false;
  const mask = (0xff00 >> (outer.bits & 7)) & 0xff;
  return (((inner.bytes[whole] ?? 0) ^ (outer.bytes[whole] ?? 0)) & mask) === 0;
}
