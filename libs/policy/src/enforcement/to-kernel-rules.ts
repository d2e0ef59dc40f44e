// SPDX-License-Identifier: Apache-2.0
// From a tracing policy to the rules that the programs in the kernel carry out (docs/adr/0022).

import type { Result } from "@rthooks/result";
import type { Filter } from "../filter/filter.ts";
import { listMatchWorkloads, toFilter } from "../schema/policy-filters.ts";
import { hookKinds } from "../schema/references.ts";
import type { TracingPolicy } from "../schema/tracing-policy.ts";
import { createCallLists } from "./call-list.ts";
import { findHookTarget } from "./find-hook-target.ts";
import type { HookOutcome, MissingCapability, PolicyRule, SelectorOutcome } from "./policy-rule.ts";
import { findMissingRoom } from "./room.ts";
import type { Architecture } from "./syscall-numbers.ts";
import { type RuleContext, toPolicyRule } from "./to-policy-rule.ts";

/**
 * One outcome for each hook, in the order of the document, with one for each of its selectors; a hook without selectors has
 * one as well. The policy's mode does not matter here. A policy with an outcome that is unsupported must not be in force in
 * parts. `architecture`: of the node.
 */
export function toKernelRules(policy: TracingPolicy, architecture: Architecture): readonly HookOutcome[] {
  const { spec } = policy;
  const missing = findMissingRoom(spec);
  if (missing !== undefined) return [ofSpec(missing)];
  const lists = createCallLists(spec.lists, architecture);
  const findFilters = createFilterSearch(policy);
  const outcomes = hookKinds.flatMap((kind) =>
    spec[kind].map((hook, hookIndex): HookOutcome => {
      const path = `${kind}[${hookIndex}]`;
      const target = findHookTarget(kind, hook, { architecture, lists });
      const toOutcome = (selector: string, index: number): SelectorOutcome => {
        if (!target.ok) return { selector, kind: "unsupported", missing: target.error };
        const context: RuleContext = {
          ...{ policy, hook, hookIndex, selectorIndex: index, architecture, lists, target: target.value },
          filters: findFilters(selector),
        };
        return toSelectorOutcome(selector, toPolicyRule(context));
      };
      const { length } = hook.selectors;
      if (length === 0) return { hook: path, outcomes: [toOutcome(path, 0)] };
      return {
        hook: path,
        outcomes: hook.selectors.map((_, at) => toOutcome(`${path}.selectors[${at}]`, at)),
      };
    }),
  );
  const loader = { field: "loader", needs: "programs for loads of libraries" };
  return spec.loader ? [...outcomes, ofSpec(loader)] : outcomes;
}

const ofSpec = (missing: MissingCapability): HookOutcome => ({
  hook: "spec",
  outcomes: [{ selector: "spec", kind: "unsupported", missing }],
});

const toSelectorOutcome = (selector: string, made: Result<PolicyRule, MissingCapability>): SelectorOutcome =>
  made.ok
    ? { selector, kind: "rule", rule: made.value }
    : { selector, kind: "unsupported", missing: made.error };

/** The filters that all must match a container of the selector; undefined ones match every process. */
function createFilterSearch(policy: TracingPolicy): (selector: string) => readonly (Filter | undefined)[] {
  const own = toFilter(policy);
  const workloads = new Map(
    listMatchWorkloads(policy).map(({ hooks, hookIndex, selectorIndex, filter }) => [
      `${hooks}[${hookIndex}].selectors[${selectorIndex}]`,
      filter,
    ]),
  );
  return (selector) => (workloads.has(selector) ? [own, workloads.get(selector)] : [own]);
}
