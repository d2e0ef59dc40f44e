// SPDX-License-Identifier: Apache-2.0
// From one selector of a hook to its rule.

import { err, ok, type Result } from "@rthooks/result";
import type { Filter } from "../filter/filter.ts";
import type { Argument } from "../schema/argument.ts";
import type { Selector } from "../schema/selector.ts";
import type { TracingPolicy } from "../schema/tracing-policy.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import { type ArgumentFilters, toArgumentFilters } from "./argument-filter.ts";
import type { ArgumentPlace } from "./argument-place.ts";
import { toEnforcerFilters } from "./enforcer-calls.ts";
import type { PolicyHook } from "./find-hook-target.ts";
import type { HookTarget, TargetContext } from "./hook-target.ts";
import type { RuleFilters } from "./kernel-rule.ts";
import { expandMacros, findUncompared } from "./plain-selector.ts";
import type { MissingCapability, PolicyRule } from "./policy-rule.ts";
import { toBinaryFilters, toPidFilters } from "./process-filter.ts";
import { toRuleAction } from "./rule-action.ts";
import type { ReportedArgument, RuleReport } from "./rule-report.ts";

export interface RuleContext extends TargetContext {
  readonly policy: TracingPolicy;
  readonly hook: PolicyHook;
  readonly hookIndex: number;
  /** Of a hook without selectors: 0. */
  readonly selectorIndex: number;
  readonly target: HookTarget;
  readonly filters: readonly (Filter | undefined)[];
}

export function toPolicyRule(context: RuleContext): Result<PolicyRule, MissingCapability> {
  const { policy, hook, selectorIndex, target, filters } = context;
  const macros = policy.spec.selectorsMacros;
  const written = hook.selectors[selectorIndex];
  if (written?.macros.some((name) => macros.get(name)?.matchWorkloads !== undefined))
    return err({ field: "macros", needs: "matchWorkloads in the selector itself" });
  const selector = written && expandMacros(written, macros);
  const uncompared = selector && findUncompared(selector);
  if (uncompared !== undefined) return err(uncompared);
  const found = toRuleFilters(selector, context);
  if (!found.ok) return found;
  const { notes, ...ruleFilters } = found.value;
  const action = toRuleAction(selector?.matchActions ?? []);
  if (!action.ok) return action;
  const { effects, posts, rateLimit, enforcer } = action.value;
  const own = enforcer === undefined ? ok([]) : toEnforcerFilters(policy.spec.enforcers, target, context);
  if (!own.ok) return err({ field: `${enforcer}.action`, needs: own.error });
  const numbers = [...target.numbers, ...own.value, ...ruleFilters.numbers];
  return ok({
    rule: { hooks: target.hooks, filters: { ...ruleFilters, numbers }, effects, posts, rateLimit },
    fallbacks: target.fallbacks,
    mayBeMissing: "ignore" in hook && hook.ignore !== undefined && isCallIgnored(hook.ignore),
    filters: filters.filter((filter) => filter !== undefined),
    includesHost: filters.every((filter) => filter === undefined || filter.hostSelector),
    notes: [...target.notes, ...notes, ...action.value.notes, ...listLeftOut(hook, target.places)],
    report: toReport(context),
  });
}

const isCallIgnored = (ignore: object): boolean => "callNotFound" in ignore && ignore.callNotFound === true;

interface FiltersWithNotes extends RuleFilters {
  readonly notes: readonly string[];
}

function toRuleFilters(
  selector: Selector | undefined,
  { hook, target, lists }: RuleContext,
): Result<FiltersWithNotes, MissingCapability> {
  const all: ArgumentFilters[] = [];
  for (const [at, filter] of (selector?.matchArgs ?? []).entries()) {
    const place = findPlace(filter, hook.args, target.places, "event" in hook);
    const found =
      place === undefined
        ? err({ field: "index", needs: "an argument that args declares" })
        : toArgumentFilters(filter, place, lists);
    if (!found.ok) return err({ ...found.error, field: `matchArgs[${at}].${found.error.field}` });
    all.push(found.value);
  }
  const binaries = toBinaryFilters(selector?.matchBinaries ?? [], target.binary);
  if (!binaries.ok) return binaries;
  all.push(...binaries.value.map(({ filter, notes }) => ({ texts: [filter], notes })));
  const numbers = toPidFilters(selector?.matchPIDs ?? []);
  if (!numbers.ok) return numbers;
  all.push({ numbers: numbers.value });
  return ok({
    numbers: all.flatMap((one) => one.numbers ?? []),
    comparisons: all.flatMap((one) => one.comparisons ?? []),
    texts: all.flatMap((one) => one.texts ?? []),
    addresses: all.flatMap((one) => one.addresses ?? []),
    notes: all.flatMap((one) => one.notes ?? []),
  });
}

/** `args` has places in the list of arguments, `index` is that of the argument itself; of a tracepoint it may be a place too. */
function findPlace(
  { args, index }: ValueFilter,
  declared: readonly Argument[],
  places: readonly ArgumentPlace[],
  isTracepoint: boolean,
): ArgumentPlace | undefined {
  const [first] = args;
  if (first !== undefined) return places[first];
  const at = declared.findIndex((argument) => argument.index === index);
  return at === -1 && isTracepoint ? places[index] : places[at];
}

/** What the policy asks events to have, and they do not. */
function listLeftOut(hook: PolicyHook, places: readonly ArgumentPlace[]): readonly string[] {
  const unread = places.flatMap(({ argument: { index, type }, kind }) =>
    kind === "unread" && type !== "nop" ? [`events do not have argument ${index} (${type})`] : [],
  );
  const data = "data" in hook && hook.data.length > 0 ? ["events do not have data"] : [];
  const returned = "return" in hook && hook.return ? ["events do not have the return value"] : [];
  return [...unread, ...data, ...returned];
}

function toReport({ policy, hook, hookIndex, selectorIndex, target }: RuleContext): RuleReport {
  return {
    policyName: policy.name,
    policyNamespace: policy.namespace ?? "",
    ...target.report,
    ...{ hookIndex, selectorIndex },
    selectorLabel: hook.selectors[selectorIndex]?.label ?? "",
    message: hook.message,
    tags: hook.tags,
    args: target.places.flatMap(toReported),
  };
}

function toReported(place: ArgumentPlace): readonly ReportedArgument[] {
  if (place.kind === "unread") return [];
  const { type, label = "" } = place.argument;
  const isSocket = place.kind === "socket" || place.kind === "sockaddr";
  return [{ facet: isSocket ? "socket" : place.facet, type, label }];
}
