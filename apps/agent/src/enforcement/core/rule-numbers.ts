// SPDX-License-Identifier: Apache-2.0
// Rule numbers: the bits by which the kernel knows the selectors of policies, from one allocator. There are few, so the
// policies of one namespace have a quota, and some are reserved for cluster-wide policies.

import { err, ok, type Result } from "@rthooks/result";
import { namespaceOfKey } from "../../filter/core/filter-key.ts";

export const MAX_RULES = 256;
/** The programs look for the first matching rule of a hook within one word of a rule set (bpf/rules.h). */
const WORD = 64;
/** Entries of each map of filters (bpf/rule-maps.h). */
const MAP_ENTRIES = 16_384;
/** Of them, what the policies of one namespace may need, and what those of all namespaces may need. */
const NAMESPACE_ENTRIES = MAP_ENTRIES / 8;
const NAMESPACES_ENTRIES = (MAP_ENTRIES * 3) / 4;

export interface RuleLimits {
  /** Rules that the policies of one namespace may have. */
  readonly perNamespace: number;
  /** Rules that are reserved for cluster-wide policies. */
  readonly forCluster: number;
}

const noRuleLimits: RuleLimits = { perNamespace: MAX_RULES, forCluster: 0 };

export interface RuleNumbers {
  /**
   * Numbers for groups of rules of one policy: those of a group are consecutive and in one word. `groups`: for each rule
   * the entries that it needs in the maps of filters. `leaving`: numbers that the policy gives up as soon as it has the new
   * ones; they do not count against its quota. The error names the limit.
   */
  take(
    policyKey: string,
    groups: readonly (readonly number[])[],
    leaving: ReadonlySet<number>,
  ): Result<readonly (readonly number[])[], string>;
  /** Says how many entries a rule of an earlier agent has. */
  weigh(number: number, entries: number): void;
  release(numbers: Iterable<number>): void;
  /** By namespace; "" stands for cluster-wide policies. */
  counts(): ReadonlyMap<string, number>;
  used(): number;
}

interface Taken {
  readonly namespace: string;
  readonly entries: number;
}

/** `known`: numbers of an earlier agent with the keys of their rules, kept even beyond the limits. */
export function createRuleNumbers(
  known: ReadonlyMap<number, string>,
  limits: RuleLimits = noRuleLimits,
): RuleNumbers {
  const taken = new Map(
    [...known].map(([number, key]): [number, Taken] => [
      number,
      { namespace: namespaceOfKey(key), entries: 0 },
    ]),
  );
  let next = 0;

  /** By namespace, without those that leave. */
  const sum = (
    leaving: ReadonlySet<number>,
    measure: (one: Taken) => number,
  ): ReadonlyMap<string, number> => {
    const found = new Map<string, number>();
    for (const [number, one] of taken)
      if (!leaving.has(number)) found.set(one.namespace, (found.get(one.namespace) ?? 0) + measure(one));
    return found;
  };

  /** The limit that so many more rules would exceed; undefined if they may be added. */
  const findLimit = (
    namespace: string,
    wanted: readonly number[],
    leaving: ReadonlySet<number>,
  ): string | undefined => {
    if (namespace === "") return undefined;
    const { perNamespace, forCluster } = limits;
    const rules = addUp(
      sum(leaving, () => 1),
      namespace,
      wanted.length,
    );
    const entries = addUp(
      sum(leaving, (one) => one.entries),
      namespace,
      wanted.reduce(add, 0),
    );
    const ofNamespace = `the policies of namespace ${namespace} would have`;
    if (rules.own > perNamespace)
      return `${ofNamespace} ${rules.own} rules, of ${perNamespace} that they may have, one for each selector (--namespace-rules)`;
    if (rules.all > MAX_RULES - forCluster)
      return `namespaced policies would have ${rules.all} rules, of ${MAX_RULES - forCluster}; the other ${forCluster} are reserved for cluster-wide policies (--cluster-rules)`;
    if (entries.own > NAMESPACE_ENTRIES)
      return `${ofNamespace} ${entries.own} values in their filters, of ${NAMESPACE_ENTRIES} that they may have`;
    if (entries.all > NAMESPACES_ENTRIES)
      return `namespaced policies would have ${entries.all} values in their filters, of ${NAMESPACES_ENTRIES}`;
    return undefined;
  };

  const isFree = (first: number, size: number): boolean => {
    if (first + size > MAX_RULES || Math.floor(first / WORD) !== Math.floor((first + size - 1) / WORD))
      return false;
    for (let number = first; number < first + size; number++) if (taken.has(number)) return false;
    return true;
  };

  /** Not the lowest free ones: a program that began before a rule was removed may still be at work with its number. */
  const findFree = (size: number): readonly number[] | undefined => {
    for (let tried = 0; tried < MAX_RULES; tried++) {
      const first = (next + tried) % MAX_RULES;
      if (!isFree(first, size)) continue;
      next = (first + size) % MAX_RULES;
      return Array.from({ length: size }, (_, at) => first + at);
    }
    return undefined;
  };

  const release = (numbers: Iterable<number>): void => {
    for (const number of numbers) taken.delete(number);
  };

  return {
    take(policyKey, groups, leaving) {
      const namespace = namespaceOfKey(policyKey);
      const wanted = groups.flat();
      const limit = findLimit(namespace, wanted, leaving);
      if (limit !== undefined) return err(limit);
      const numbers: (readonly number[])[] = [];
      for (const group of groups) {
        const found = findFree(group.length);
        if (found === undefined) {
          release(numbers.flat());
          return err(`it needs ${wanted.length} rules, and ${taken.size} of ${MAX_RULES} are in use`);
        }
        for (const [at, number] of found.entries()) taken.set(number, { namespace, entries: group[at] ?? 0 });
        numbers.push(found);
      }
      return ok(numbers);
    },
    weigh(number, entries) {
      const one = taken.get(number);
      if (one !== undefined) taken.set(number, { ...one, entries });
    },
    release,
    counts: () => sum(noNumbers, () => 1),
    used: () => taken.size,
  };
}

const add = (one: number, other: number): number => one + other;

/** Of one namespace, and of all: "" is not a namespace. */
function addUp(sums: ReadonlyMap<string, number>, namespace: string, wanted: number) {
  const all = [...sums].map(([name, count]) => (name === "" ? 0 : count)).reduce(add, wanted);
  return { own: (sums.get(namespace) ?? 0) + wanted, all };
}

const noNumbers: ReadonlySet<number> = new Set();
