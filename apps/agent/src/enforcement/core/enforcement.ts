// SPDX-License-Identifier: Apache-2.0
// Enforcement: keeps the rules of policies and the containers that they are about in the kernel. Policies come from the
// policy loader, containers from the lifecycle.

import type { RuleCounts, RuleMaps } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { describeMechanisms, toKernelRules } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import type { AttachedPrograms } from "./attached-programs.ts";
import { createEnforcedContainers, type EnforcedContainers } from "./enforced-containers.ts";
import { createEnforcedPolicies, type EnforcedPolicies, type NumberedRule } from "./enforced-policies.ts";
import { type PlanningNode, planPolicy } from "./policy-plan.ts";
import { createRuleMembers } from "./rule-members.ts";
import { createRuleNumbers, type RuleLimits } from "./rule-numbers.ts";

/** A rule in force with what its programs have counted. */
export interface CountedRule extends NumberedRule {
  /** Undefined where they cannot be read. */
  readonly counts: RuleCounts | undefined;
}

export interface Enforcement {
  /** `off`: not wanted. `impossible`: the kernel or its maps do not allow it. */
  readonly state: "on" | "off" | "impossible";
  readonly policies: EnforcedPolicies;
  readonly containers: EnforcedContainers;
  /** What holds the policy on this node; empty for a policy without hooks and for one that is disabled. */
  heldBy(policyKey: string): string;
  countsOf(policyKey: string): readonly CountedRule[];
  /** Retries what has failed. */
  retry(): void;
  /** What is not in force as it should be, one line each. */
  problems(): readonly string[];
  /** Numbers of rules that are taken. */
  rulesInUse(): number;
}

export interface EnforcementParts {
  readonly maps: RuleMaps;
  readonly hooks: AttachedPrograms;
  readonly limits: RuleLimits;
  readonly architecture: PlanningNode["architecture"];
  readonly digest: PlanningNode["digest"];
  readonly log: Logger;
}

/** Takes over what the maps contain. */
export function createEnforcement(parts: EnforcementParts): Enforcement {
  const { maps, hooks, limits, log } = parts;
  const active = maps.active();
  const members = createRuleMembers(
    [...maps.containers()].map(([cgroupId, rules]) => [
      cgroupId,
      [...rules].filter((rule) => active.has(rule)),
    ]),
  );
  const owners = [...maps.owners()].filter(([number]) => active.has(number));
  const numbers = createRuleNumbers(new Map(owners.map(([number, { key }]) => [number, key])), limits);
  const containers = createEnforcedContainers(maps, members, log);
  const policies = createEnforcedPolicies({
    ...{ maps, hooks, members, numbers },
    async plan(policyKey, policy) {
      const found = await hooks.capabilities();
      return found.ok ? planPolicy(policyKey, policy, { ...parts, capabilities: found.value }) : found;
    },
    onMembersChange: containers.rewrite,
  });
  return {
    state: "on",
    policies,
    containers,
    heldBy: (policyKey) => describeMechanisms(policies.rulesOf(policyKey).map(({ mechanism }) => mechanism)),
    countsOf: (policyKey) =>
      policies.rulesOf(policyKey).map((rule): CountedRule => {
        const counts = maps.counts(rule.number);
        return { ...rule, counts: counts.ok ? counts.value : undefined };
      }),
    retry() {
      policies.retry();
      containers.retry();
    },
    problems: () => [policies.problem(), containers.problem()].filter((text) => text !== ""),
    rulesInUse: numbers.used,
  };
}

/** `reason`: why the kernel cannot enforce anything, in one line; undefined where enforcement is not wanted. */
export function createNoEnforcement(reason: string | undefined): Enforcement {
  const done = ok(undefined);
  const nothing = (): void => {};
  /** Keys of policies with hooks. */
  const unenforced = new Set<string>();
  return {
    state: reason === undefined ? "off" : "impossible",
    policies: {
      prepare: () => Promise.resolve(done),
      settled: () => Promise.resolve(),
      put(policyKey, policy, { isEnabled }) {
        unenforced.delete(policyKey);
        // Whether there are rules is the same for all processors.
        if (toKernelRules(policy, "x64").length === 0) return done;
        if (reason !== undefined && isEnabled)
          return err(`a policy with hooks cannot be in force on this node: ${reason}`);
        unenforced.add(policyKey);
        return done;
      },
      configure: (policyKey, { isEnabled }) =>
        reason !== undefined && isEnabled && unenforced.has(policyKey)
          ? err(`a policy with hooks cannot be in force on this node: ${reason}`)
          : done,
      remove: (policyKey) => void unenforced.delete(policyKey),
      ...{ removeUnused: nothing, retry: nothing, follow: nothing, conclude: nothing },
      rulesOf: () => [],
      errorOf: () => "",
      end: () => Promise.resolve(done),
      problem: () => "",
    },
    containers: {
      add: () => done,
      ...{ remove: nothing, updatePod: nothing, rewrite: nothing, removeInherited: nothing, retry: nothing },
      inheritedCgroupIds: () => new Set(),
      problem: () => "",
    },
    heldBy: (policyKey) => (unenforced.has(policyKey) ? notEnforced : ""),
    countsOf: () => [],
    retry: nothing,
    problems: () => (reason === undefined ? [] : [`policies with hooks are not in force: ${reason}`]),
    rulesInUse: () => 0,
  };
}

const notEnforced = "nothing: --enable-policy-filter is off";
