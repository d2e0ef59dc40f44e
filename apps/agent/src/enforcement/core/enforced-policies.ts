// SPDX-License-Identifier: Apache-2.0
// Brings the rules of policies into force in the kernel, and takes over what an earlier agent left there.

import type { PlacedRule, RuleMaps, RuleOwner } from "@rthooks/bpf";
import type { TracingPolicy } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { type AttachedGroup, type AttachedRule, attachHooks } from "./attach-hooks.ts";
import type { AttachedPrograms } from "./attached-programs.ts";
import { type PlannedGroup, policyKeyOf } from "./policy-plan.ts";
import type { PolicySetting } from "./policy-setting.ts";
import type { RuleMembers } from "./rule-members.ts";
import type { RuleNumbers } from "./rule-numbers.ts";
import { weighRule } from "./rule-weight.ts";

/** A rule with its number in the kernel. */
export interface NumberedRule extends AttachedRule {
  readonly number: number;
}

type RuleListener = (rules: readonly NumberedRule[]) => void;

/** Errors are one line. */
export interface EnforcedPolicies {
  /**
   * Loads and attaches the programs that `put` or `configure` with the same arguments needs; `conclude` must follow. The
   * programs have no effect without the rules.
   */
  prepare(policyKey: string, policy: TracingPolicy, setting: PolicySetting): Promise<Result<void, string>>;
  /** Detaches what was prepared and is not needed. */
  conclude(policyKey: string): void;
  /** In one step for every process: all of the policy's rules, in the place of those that it had. After an error these stay. */
  put(policyKey: string, policy: TracingPolicy, setting: PolicySetting): Result<void, string>;
  remove(policyKey: string): void;
  configure(policyKey: string, setting: PolicySetting): Result<void, string>;
  rulesOf(policyKey: string): readonly NumberedRule[];
  /** Empty where the policy is in the kernel as it should be. */
  errorOf(policyKey: string): string;
  /** Call it when all policies have been put: ends rules of an earlier agent that no policy has. */
  removeUnused(): void;
  /** Resolves when programs that are not needed now are detached. */
  settled(): Promise<void>;
  /**
   * Detaches all programs, and attaches none from now on. The rules stay in the maps, where the next agent finds them with
   * their containers.
   */
  end(): Promise<Result<void, string>>;
  /** Calls `listener` with the rules in force, and from then on with rules before they come into force. */
  follow(listener: RuleListener): void;
  /** Retries what has failed. */
  retry(): void;
  problem(): string;
}

export interface EnforcedPoliciesOptions {
  readonly maps: Pick<RuleMaps, "owners" | "active" | "change" | "setEnforcing">;
  readonly hooks: Pick<AttachedPrograms, "attach" | "detachUnused">;
  readonly members: RuleMembers;
  readonly numbers: RuleNumbers;
  /** The rules that a policy needs; the error says what they lack on this node. */
  plan(policyKey: string, policy: TracingPolicy): Promise<Result<readonly PlannedGroup[], string>>;
  /** The rules of known containers have changed otherwise than by `maps.change`. */
  onMembersChange(): void;
}

interface Enforced {
  readonly policy: TracingPolicy;
  readonly setting: PolicySetting;
  /** Empty for a policy that is disabled. */
  readonly rules: readonly NumberedRule[];
  readonly error: string;
}

export function createEnforcedPolicies(options: EnforcedPoliciesOptions): EnforcedPolicies {
  const { maps, hooks, members, numbers, plan, onMembersChange } = options;
  const policies = new Map<string, Enforced>();
  /** Rules of an earlier agent whose policy has not been put. */
  const unclaimed = new Map([...maps.owners()].filter(([number]) => maps.active().has(number)));
  /** Of policies that are being prepared no groups yet. Their programs must stay: no rule in force needs them yet. */
  const prepared = new Map<string, readonly AttachedGroup[] | undefined>();
  const listeners: RuleListener[] = [];
  /** Rules that could not be ended. */
  const lingering = new Set<number>();
  let hasAllPolicies = false;
  let lingeringError = "";
  let detachError = "";
  let detaching: Promise<void> = Promise.resolve();
  let hasEnded = false;

  const detachUnused = (): void => {
    // Before that, programs may serve rules of an earlier agent: these do not say which.
    if (!hasAllPolicies || hasEnded || lingering.size > 0 || prepared.size > 0) return;
    const rules = [...policies.values()].flatMap((policy) => policy.rules);
    const used = new Set(rules.flatMap(({ hookIds }) => [...hookIds]));
    detaching = hooks.detachUnused(used).then((done) => {
      detachError = done.ok ? "" : done.error;
    });
  };

  const attach: AttachedPrograms["attach"] = async (hook) =>
    hasEnded ? err("the agent is stopping") : await hooks.attach(hook);

  const publish = (rules: readonly NumberedRule[]): void => {
    for (const listener of listeners) listener(rules);
  };

  const forget = (ended: Iterable<number>): void => {
    for (const number of ended) {
      members.removeRule(number);
      unclaimed.delete(number);
    }
    numbers.release(ended);
  };

  /** `groups`: empty for a policy that is disabled. */
  const place = (
    policyKey: string,
    groups: readonly AttachedGroup[],
    enforces: boolean,
  ): Result<readonly NumberedRule[], string> => {
    const before = listBefore(policies.get(policyKey)?.rules ?? [], unclaimed, policyKey);
    const kept = groups.map((group) => findKept(group, before));
    const keptNumbers = new Set(kept.flatMap((group) => group ?? []));
    const leaving = new Set([...before.keys()].filter((number) => !keptNumbers.has(number)));
    const fresh = groups.filter((_, at) => kept[at] === undefined);
    const taken = numbers.take(
      policyKey,
      fresh.map((group) => group.map(({ rule }) => weighRule(rule))),
      leaving,
    );
    if (!taken.ok) return taken;
    let next = 0;
    const numbered = groups.flatMap((group, at) => {
      const own = kept[at] ?? taken.value[next++] ?? [];
      return group.flatMap((rule, index): readonly (NumberedRule & { readonly follows: boolean })[] => {
        const number = own[index];
        return number === undefined ? [] : [{ ...rule, number, follows: index > 0 }];
      });
    });
    publish(numbered);
    const predecessors = new Map([...before].map(([number, { key }]) => [key, number]));
    const placed = numbered.flatMap((rule): readonly PlacedRule[] => {
      const { number, hookIds, follows, owner, includesHost: host } = rule;
      if (keptNumbers.has(number)) return [];
      members.addRule(number, rule, predecessors.get(owner.key));
      const cgroupIds = members.cgroupsOf(number);
      return [{ number, rule: rule.rule, hookIds, follows, owner, enforces, host, cgroupIds }];
    });
    const done =
      placed.length === 0 && leaving.size === 0 ? ok(undefined) : maps.change(placed, [...leaving]);
    if (!done.ok) {
      forget(placed.map(({ number }) => number));
      return done;
    }
    forget(leaving);
    claim(numbered);
    return ok(numbered);
  };

  /** Takes over the rules of an earlier agent that these are. */
  const claim = (rules: readonly NumberedRule[]): void => {
    const claimed = rules.filter(({ number }) => unclaimed.delete(number));
    for (const rule of claimed) {
      members.addRule(rule.number, rule, undefined);
      numbers.weigh(rule.number, weighRule(rule.rule));
    }
    if (claimed.length > 0) onMembersChange();
  };

  const set = (policyKey: string, policy: TracingPolicy, setting: PolicySetting): Result<void, string> => {
    const attached = setting.isEnabled ? prepared.get(policyKey) : [];
    if (attached === undefined) return err("its programs are not attached");
    const rules = place(policyKey, attached, setting.enforces);
    if (!rules.ok) return rules;
    const moded = maps.setEnforcing(
      rules.value.map(({ number }) => number),
      setting.enforces,
    );
    const error = moded.ok ? "" : `its mode could not be set: ${moded.error}`;
    policies.set(policyKey, { policy, setting, rules: rules.value, error });
    return ok(undefined);
  };

  const endRules = (ended: readonly number[]): void => {
    const done = ended.length === 0 ? ok(undefined) : maps.change([], ended);
    if (done.ok) {
      for (const number of ended) lingering.delete(number);
      forget(ended);
    } else for (const number of ended) lingering.add(number);
    lingeringError = done.ok ? "" : done.error;
    detachUnused();
  };

  return {
    async prepare(policyKey, policy, setting) {
      prepared.set(policyKey, undefined);
      const planned = setting.isEnabled ? await plan(policyKey, policy) : ok([]);
      if (!planned.ok) return planned;
      const attached = await attachHooks(planned.value, { attach });
      if (!attached.ok) return attached;
      prepared.set(policyKey, attached.value);
      return ok(undefined);
    },
    conclude(policyKey) {
      prepared.delete(policyKey);
      detachUnused();
    },
    put: set,
    remove(policyKey) {
      const ended = listBefore(policies.get(policyKey)?.rules ?? [], unclaimed, policyKey);
      policies.delete(policyKey);
      endRules([...ended.keys()]);
    },
    configure(policyKey, setting) {
      const found = policies.get(policyKey);
      return found === undefined ? ok(undefined) : set(policyKey, found.policy, setting);
    },
    rulesOf: (policyKey) => policies.get(policyKey)?.rules ?? [],
    errorOf: (policyKey) => policies.get(policyKey)?.error ?? "",
    removeUnused() {
      hasAllPolicies = true;
      endRules([...unclaimed.keys()]);
    },
    settled: () => detaching,
    end() {
      hasEnded = true;
      return hooks.detachUnused(new Set());
    },
    follow(listener) {
      listeners.push(listener);
      listener([...policies.values()].flatMap(({ rules }) => rules));
    },
    retry() {
      if (lingering.size > 0) endRules([...lingering]);
      else if (detachError !== "") detachUnused();
    },
    problem: () =>
      lingering.size === 0
        ? detachError
        : `${lingering.size} rules of ended policies are still in force: ${lingeringError}`,
  };
}

/** The rules that the policy has in the kernel, from this agent or an earlier one. */
function listBefore(
  rules: readonly NumberedRule[],
  unclaimed: ReadonlyMap<number, RuleOwner>,
  policyKey: string,
): ReadonlyMap<number, RuleOwner> {
  const earlier = [...unclaimed].filter(([, { key }]) => policyKeyOf(key) === policyKey);
  return new Map([...earlier, ...rules.map(({ number, owner }) => [number, owner] as const)]);
}

/** The numbers with which the whole group is in the kernel already. */
function findKept(
  group: AttachedGroup,
  before: ReadonlyMap<number, RuleOwner>,
): readonly number[] | undefined {
  const [first] = group;
  for (const [number, owner] of before) {
    if (first === undefined || !isSame(owner, first.owner)) continue;
    const own = group.map((_, at) => number + at);
    const isWhole = group.every((rule, at) => {
      const found = before.get(number + at);
      return found !== undefined && isSame(found, rule.owner);
    });
    if (isWhole) return own;
  }
  return undefined;
}

const isSame = (one: RuleOwner, other: RuleOwner): boolean =>
  one.key === other.key && one.digest === other.digest;
