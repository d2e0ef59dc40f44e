// SPDX-License-Identifier: Apache-2.0

import type { KernelRule } from "@rthooks/policy";
import { type CompiledFilters, compileFilters } from "./rule-filters.ts";
import { mapTable, type RuleActionValue, type RuleSet, type RuleTable } from "./rule-layout.ts";
import type { RuleOwner } from "./rule-owner.ts";

/** A rule with its place in the maps. */
export interface PlacedRule {
  readonly number: number;
  readonly rule: KernelRule;
  /** Of its hooks, as the programs that are attached to them know them. */
  readonly hookIds: ReadonlySet<number>;
  /** An earlier selector of the same hook has the number before this one, in the same 64. */
  readonly follows: boolean;
  /** Ids of containers; others are ignored. */
  readonly cgroupIds: ReadonlySet<bigint>;
  /** It is also about processes in no known container. */
  readonly host: boolean;
  /** False: monitor mode. Then it has no effects, and only counts what they would be. */
  readonly enforces: boolean;
  readonly owner: RuleOwner;
}

const SIGKILL = 9;

/** What a rule does. Of several signals SIGKILL, else the first; of several errors the first. */
export function toActionValue({ effects, rateLimit }: KernelRule, generation: number): RuleActionValue {
  const signals = effects.flatMap((effect) => {
    if (effect.kind === "kill") return [SIGKILL];
    return effect.kind === "signal" ? [effect.number] : [];
  });
  const errors = effects.flatMap((effect) => (effect.kind === "override" ? [effect.errno] : []));
  const signal = signals.includes(SIGKILL) ? SIGKILL : (signals[0] ?? 0);
  return { signal, error: errors[0] ?? 0, rate: rateLimit, generation };
}

/** The table with the rule, in force. */
export function withRule(table: RuleTable, placed: PlacedRule, filters: CompiledFilters): RuleTable {
  const { number, rule } = placed;
  const { signal, error, rate } = toActionValue(rule, 0);
  const plain: Readonly<Partial<Record<string, boolean>>> = {
    ...{ active: true, enforcing: placed.enforces, follows: placed.follows, host: placed.host },
    ...{ posting: rule.posts, limited: rate !== undefined },
    ...{ signalling: signal !== 0, killing: signal === SIGKILL, overriding: error !== 0 },
  };
  const ofFacet = (name: string, facet: number): boolean => {
    if (name === "masks") return filters.masks.some((one) => one.facet === facet);
    const absent = { absentNumbers: "numbers", absentTexts: "texts", absentAddresses: "addresses" };
    const map = Object.entries(absent).find(([set]) => set === name)?.[1];
    return filters.facets.some((one) =>
      map === undefined
        ? one.map === name && one.match.facet === facet
        : one.match.facet === facet && one.isAbsentMatch && (one.map === map || isEnding(one.map, map)),
    );
  };
  return mapTable(table, (rules, name, facet) => {
    const isIn = plain[name] ?? ofFacet(name, facet);
    return isIn ? new Set([...rules, number]) : without(rules, number);
  });
}

/** Texts and endings have one answer for an event without the text. */
const isEnding = (map: string, wanted: string): boolean => map === "endings" && wanted === "texts";

export const withoutRules = (table: RuleTable, numbers: ReadonlySet<number>): RuleTable =>
  mapTable(table, (rules) => new Set([...rules].filter((rule) => !numbers.has(rule))));

const without = (rules: RuleSet, rule: number): RuleSet => new Set([...rules].filter((one) => one !== rule));

/** What the maps need for a rule. */
export const compileRule = ({ rule }: PlacedRule) => compileFilters(rule);
