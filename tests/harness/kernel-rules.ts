// SPDX-License-Identifier: Apache-2.0
// Rules as tests write them.
import type { PlacedRule } from "@rthooks/bpf";
import type { HookPoint, KernelRule, RuleFilters } from "@rthooks/policy";

/** Ids of the hooks that have a number of their own: bpf/rules.h. */
const hookIds: Readonly<Record<string, number>> = { exec: 1, connect: 2, bind: 3 };
const noFilters: RuleFilters = { numbers: [], comparisons: [], texts: [], addresses: [] };

const toRule = (kind: "exec" | "connect", filters: Partial<RuleFilters>): KernelRule => ({
  hooks: [{ kind }],
  filters: { ...noFilters, ...filters },
  effects: [{ kind: "override", errno: 1 }],
  posts: true,
  rateLimit: undefined,
});

/** About executions, which it denies; where that is not possible, it kills. */
export const execRule = (filters: Partial<RuleFilters>, change: Partial<KernelRule> = {}): KernelRule => ({
  ...toRule("exec", filters),
  ...change,
});

/** About connections, which it denies with EPERM. */
export const connectRule = (filters: Partial<RuleFilters>, change: Partial<KernelRule> = {}): KernelRule => ({
  ...toRule("connect", filters),
  ...change,
});

const toHookId = ({ kind }: HookPoint): number => {
  const id = hookIds[kind];
  if (id === undefined) throw new Error(`no id of a hook: ${kind}`);
  return id;
};

/** In force for these containers. */
export const placeRule = (
  number: number,
  rule: KernelRule,
  cgroupIds: ReadonlySet<bigint>,
  change: Partial<PlacedRule> = {},
): PlacedRule => ({
  ...{ number, rule, cgroupIds, hookIds: change.hookIds ?? new Set(rule.hooks.map(toHookId)) },
  ...{ follows: false, host: false, enforces: true },
  owner: { key: `rule ${number}`, digest: "" },
  ...change,
});
