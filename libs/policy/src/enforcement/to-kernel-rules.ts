// SPDX-License-Identifier: Apache-2.0
// From a tracing policy to the rules that the programs in the kernel carry out (docs/adr/0022).

import { err, ok, type Result } from "@rthooks/result";
import type { Filter } from "../filter/filter.ts";
import { listMatchWorkloads, toFilter } from "../schema/policy-filters.ts";
import { hookKinds } from "../schema/references.ts";
import type { Selector } from "../schema/selector.ts";
import type { TracingPolicy } from "../schema/tracing-policy.ts";
import { findHookTarget, type HookTarget, type PolicyHook } from "./hook-target.ts";
import { expandMacros, findUncompared } from "./plain-selector.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { findMissingRoom } from "./room.ts";
import { toRuleAction } from "./rule-action.ts";
import { type OrderedRule, takeAway } from "./rule-order.ts";
import { isEmptyScope, toRuleScope } from "./rule-scope.ts";
import type { RuleScope, RuleSubject, SubjectOutcome, SubjectRule } from "./subject-rule.ts";

/**
 * One outcome for each selector, in the order of the document; a hook without selectors has one as well. The policy's mode
 * does not matter here. A policy with an outcome that is unsupported must not be in force in parts.
 */
export function toKernelRules(policy: TracingPolicy): readonly SubjectOutcome[] {
  const missing = findMissingRoom(policy.spec);
  if (missing !== undefined) return [{ selector: "spec", kind: "unsupported", missing }];
  const own = toFilter(policy);
  const workloads = new Map(
    listMatchWorkloads(policy).map(({ hooks, hookIndex, selectorIndex, filter }) => [
      `${hooks}[${hookIndex}].selectors[${selectorIndex}]`,
      filter,
    ]),
  );
  const macros = policy.spec.selectorsMacros;
  const findFilters = (selector: string): readonly (Filter | undefined)[] =>
    workloads.has(selector) ? [own, workloads.get(selector)] : [own];
  const outcomes = hookKinds.flatMap((kind) =>
    policy.spec[kind].flatMap((hook, index) => {
      const target = findHookTarget(kind, hook);
      return toHookOutcomes(`${kind}[${index}]`, hook, target, macros, findFilters);
    }),
  );
  return policy.spec.loader ? [...outcomes, loads] : outcomes;
}

const loads: SubjectOutcome = {
  selector: "spec",
  ...{ kind: "unsupported", missing: { field: "loader", needs: "programs for loads of libraries" } },
};

function toHookOutcomes(
  path: string,
  hook: PolicyHook,
  target: Result<HookTarget, MissingCapability>,
  macros: ReadonlyMap<string, Selector>,
  findFilters: (selector: string) => readonly (Filter | undefined)[],
): readonly SubjectOutcome[] {
  const selectors = hook.selectors.map((one, at) => [`${path}.selectors[${at}]`, one] as const);
  const earlier: OrderedRule[] = [];
  return (selectors.length === 0 ? [[path, undefined] as const] : selectors).map(
    ([selector, written]): SubjectOutcome => {
      const draft = target.ok ? toDraft(target.value, hook, written, macros, findFilters(selector)) : target;
      const made = draft.ok ? leaveOut(draft.value, earlier) : draft;
      if (!made.ok) return { selector, kind: "unsupported", missing: made.error };
      earlier.push(made.value);
      if (isEmptyScope(made.value.scope)) return { selector, kind: "never_matches" };
      return { selector, kind: "rule", rule: toRule(made.value) };
    },
  );
}

interface Draft extends OrderedRule, Omit<SubjectRule, "subject"> {}

function toDraft(
  target: HookTarget,
  hook: PolicyHook,
  written: Selector | undefined,
  macros: ReadonlyMap<string, Selector>,
  filters: readonly (Filter | undefined)[],
): Result<Draft, MissingCapability> {
  if (written?.macros.some((name) => macros.get(name)?.matchWorkloads !== undefined))
    return err({ field: "macros", needs: "matchWorkloads in the selector itself" });
  const selector = written && expandMacros(written, macros);
  const uncompared = selector && findUncompared(selector);
  if (uncompared !== undefined) return err(uncompared);
  const scope = toRuleScope(target, hook.args, selector?.matchArgs ?? []);
  if (!scope.ok) return scope;
  const action = toRuleAction(selector?.matchActions ?? []);
  if (!action.ok) return action;
  return ok({
    ...{ scope: scope.value.scope, notes: scope.value.notes, action: action.value },
    effects: action.value.effects,
    filters: filters.filter((filter) => filter !== undefined),
    includesHost: filters.every((filter) => filter === undefined || filter.hostSelector),
  });
}

/** The draft without what earlier selectors of its hook match. */
function leaveOut(draft: Draft, earlier: readonly OrderedRule[]): Result<Draft, MissingCapability> {
  let left = draft;
  for (const rule of earlier) {
    const rest = takeAway(rule, left);
    if (!rest.ok) return rest;
    left = { ...left, scope: rest.value };
  }
  return ok(left);
}

const toRule = ({ scope, action, filters, includesHost, notes }: Draft): SubjectRule => ({
  ...{ subject: toSubject(scope), action, filters, includesHost, notes },
});

function toSubject(scope: RuleScope): RuleSubject {
  if (scope.kind === "exec") {
    const { prefixes, isNegated } = scope.paths;
    return { kind: "exec", paths: prefixes.map(({ written }) => written), isNegated };
  }
  const { addresses, ports, sockets } = scope;
  return {
    kind: "connect",
    addresses: addresses.prefixes.map(({ written }) => written),
    isNegated: addresses.isNegated,
    ports: [...(ports ?? [])],
    sockets,
  };
}
