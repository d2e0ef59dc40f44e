// SPDX-License-Identifier: Apache-2.0
// The layout of the values in bpf/rules.h.

import { addressFacets, numberFacets, textFacets } from "./facets.ts";

/** A rule is one selector of one hook of a policy, with a number from 0 to RULES - 1. */
export const RULES = 256;
export const RULE_SET_BYTES = RULES / 8;
/** How many different levels of the cgroup hierarchy can have containers. */
export const LEVELS = 8;
/** Hooks have ids below this one. */
export const HOOKS = 2_048;

export type RuleSet = ReadonlySet<number>;

/** Which of the two tables is in force, and where containers are. */
export interface CurrentRules {
  readonly version: number;
  /** Levels at which containers have their root cgroup; 1 is below the root. At most LEVELS different ones. */
  readonly levels: ReadonlySet<number>;
}

/** What rules do. */
const plainSets = [
  ...(["active", "enforcing", "follows", "host", "posting", "limited"] as const),
  ...(["signalling", "killing", "overriding"] as const),
] as const;

/** Which facets rules have filters on, by the number of the facet; and which match an event without the facet. */
const facetSets = [
  ["numbers", numberFacets.length],
  ["masks", numberFacets.length],
  ["texts", textFacets.length],
  ["endings", textFacets.length],
  ["addresses", addressFacets.length],
  ["absentNumbers", numberFacets.length],
  ["absentTexts", textFacets.length],
  ["absentAddresses", addressFacets.length],
] as const; // const: the names are a union
/** Those that `filtered` has a bit for. */
const filteredSets = facetSets.slice(0, 5);

type PlainSet = (typeof plainSets)[number];
type FacetSet = (typeof facetSets)[number][0];

/** What rules are about and what they do, completely. */
export type RuleTable = Readonly<Record<PlainSet, RuleSet> & Record<FacetSet, readonly RuleSet[]>>;

export const tableBytes =
  (plainSets.length + facetSets.reduce((sum, [, count]) => sum + count, 0)) * RULE_SET_BYTES + 16;

/** Rule n is bit n % 8 of byte n / 8: the order of little-endian words. */
export function encodeRuleSet(rules: Iterable<number>): Uint8Array {
  const bytes = new Uint8Array(RULE_SET_BYTES);
  for (const rule of rules) {
    if (!Number.isInteger(rule) || rule < 0 || rule >= RULES) throw new RangeError(`no rule number: ${rule}`);
    bytes[rule >> 3] = (bytes[rule >> 3] ?? 0) | (1 << (rule & 7));
  }
  return bytes;
}

/** The set at this place. */
export function decodeRuleSet(bytes: Uint8Array, start = 0): RuleSet {
  const rules = new Set<number>();
  for (let at = 0; at < RULE_SET_BYTES; at++) {
    // Most sets have few rules.
    for (let left = bytes[start + at] ?? 0; left !== 0; left &= left - 1)
      rules.add(at * 8 + 31 - Math.clz32(left & -left));
  }
  return rules;
}

export function encodeCurrent({ version, levels }: CurrentRules): Uint8Array {
  const bytes = new Uint8Array(8 + LEVELS);
  const deepestFirst = [...levels].toSorted((one, other) => other - one);
  if (deepestFirst.length > LEVELS) throw new RangeError(`${deepestFirst.length} levels of cgroups`);
  bytes[0] = version;
  bytes.set(deepestFirst, 8);
  return bytes;
}

export function decodeCurrent(bytes: Uint8Array): CurrentRules {
  const levels = [...bytes.subarray(8, 8 + LEVELS)].filter((level) => level !== 0);
  return { version: bytes[0] === 1 ? 1 : 0, levels: new Set(levels) };
}

/** `generation`: a number without a sign that no other table has had. */
export function encodeTable(table: RuleTable, generation: bigint): Uint8Array {
  const bytes = new Uint8Array(tableBytes);
  const plain = plainSets.map((name) => table[name]);
  const ofFacets = facetSets.flatMap(([name]) => table[name]);
  for (const [at, rules] of plain.entries()) bytes.set(encodeRuleSet(rules), at * RULE_SET_BYTES);
  const filtered = filteredSets
    .flatMap(([name]) => table[name])
    .reduce((bits, rules, at) => (rules.size === 0 ? bits : bits | (1n << BigInt(at))), 0n);
  const start = plain.length * RULE_SET_BYTES;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(start, generation, true);
  view.setBigUint64(start + 8, filtered, true);
  for (const [at, rules] of ofFacets.entries())
    bytes.set(encodeRuleSet(rules), start + 16 + at * RULE_SET_BYTES);
  return bytes;
}

export function decodeTable(bytes: Uint8Array): RuleTable {
  let at = 0;
  const next = (): RuleSet => {
    at += RULE_SET_BYTES;
    return decodeRuleSet(bytes.subarray(at - RULE_SET_BYTES, at));
  };
  const plain = plainSets.map((name) => [name, next()] as const);
  at += 16;
  const ofFacets = facetSets.map(([name, count]) => [name, Array.from({ length: count }, next)] as const);
  // The names are those of the type, each once.
  return Object.fromEntries([...plain, ...ofFacets]) as RuleTable;
}

/** The table with each set changed by `change`; `facet` for those of facets. */
export function mapTable(
  table: RuleTable,
  change: (rules: RuleSet, name: PlainSet | FacetSet, facet: number) => RuleSet,
): RuleTable {
  const plain = plainSets.map((name) => [name, change(table[name], name, 0)] as const);
  const ofFacets = facetSets.map(
    ([name]) => [name, table[name].map((rules, facet) => change(rules, name, facet))] as const,
  );
  // The names are those of the type, each once.
  return Object.fromEntries([...plain, ...ofFacets]) as RuleTable;
}

/** SCOPE_… */
const scopes = { thread: 1, process: 2, global: 3 } as const; // const: by the names of the scopes

export interface RuleActionValue {
  /** 0: none. */
  readonly signal: number;
  /** 0: none. */
  readonly error: number;
  readonly rate: { readonly seconds: number; readonly scope: keyof typeof scopes } | undefined;
  /** Another one for each rule that gets the number. */
  readonly generation: number;
}

/** Struct rule_action. */
export function encodeAction({ signal, error, rate, generation }: RuleActionValue): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signal, true);
  view.setUint32(4, error, true);
  view.setBigUint64(8, BigInt(Math.round((rate?.seconds ?? 0) * 1e9)), true);
  view.setUint32(16, rate === undefined ? 0 : scopes[rate.scope], true);
  view.setUint32(20, generation, true);
  return bytes;
}

export const readGeneration = (action: Uint8Array): number =>
  new DataView(action.buffer, action.byteOffset).getUint32(20, true);

/** In the order of struct rule_count. */
const countNames = ["post", "signal", "monitorSignal", "override", "monitorOverride", "nopost"] as const; // const: names

/** How often a rule matched and posted, and how often it had an effect, or would have had it. */
export type RuleCounts = Readonly<Record<(typeof countNames)[number], bigint>>;

/** Adds up struct rule_count of all processors. */
export function decodeCounts(bytes: Uint8Array): RuleCounts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sumOf = (name: number): bigint => {
    let sum = 0n;
    for (let at = name * 8; at + 8 <= bytes.length; at += countNames.length * 8)
      sum += view.getBigUint64(at, true);
    return sum;
  };
  const sums = countNames.map((name, at) => [name, sumOf(at)] as const);
  // The names are those of the type, each once.
  return Object.fromEntries(sums) as RuleCounts;
}
