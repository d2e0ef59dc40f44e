// SPDX-License-Identifier: Apache-2.0
// Rules between the parts of a spec: what is named must be there, and what all hooks share must suffice.

import type { Action } from "./action.ts";
import { describeValue } from "./describe-value.ts";
import { findNearestNames, joinNames } from "./nearest-names.ts";
import type { PathKey } from "./policy-problem.ts";
import type { Selector } from "./selector.ts";
import type { Report } from "./shape.ts";
import { isInMap } from "./value-filter.ts";

const listPrefix = "list:";
/** Each has an id of its own among 64 bits. */
const maxFollowing = 64;

export const hookKinds = ["kprobes", "fentries", "tracepoints", "lsmhooks", "uprobes", "usdts"] as const; // const: keys

interface Hook {
  readonly call?: string;
  readonly selectors: readonly Selector[];
}

interface Spec extends Readonly<Record<(typeof hookKinds)[number], readonly Hook[]>> {
  readonly lists: readonly { readonly name: string }[];
  readonly enforcers: readonly { readonly calls: readonly string[] }[];
  readonly selectorsMacros: ReadonlyMap<string, Selector>;
}

interface Located {
  readonly at: readonly PathKey[];
  readonly selector: Selector;
}

export function judgeReferences(spec: Partial<Spec>, report: Report): void {
  const hooks = hookKinds.flatMap((kind) =>
    (spec[kind] ?? []).map((hook, index) => ({ at: [kind, index] as readonly PathKey[], hook })),
  );
  const selectors = hooks.flatMap(({ at, hook }) =>
    hook.selectors.map((selector, index) => ({ at: [...at, "selectors", index], selector })),
  );
  const macros = [...(spec.selectorsMacros ?? [])].map(([name, selector]) => ({
    at: ["selectorsMacros", name],
    selector,
  }));
  const all = [...selectors, ...macros];

  const { lists } = spec;
  if (lists !== undefined) {
    const judge = (at: readonly PathKey[], value: string): void =>
      judgeListName(
        at,
        value,
        lists.map(({ name }) => name),
        report,
      );
    for (const { at, hook } of hooks) judge([...at, "call"], hook.call ?? "");
    for (const { at, value } of all.flatMap(listMapValues)) judge(at, value);
    for (const [place, { calls }] of (spec.enforcers ?? []).entries()) {
      for (const [index, call] of calls.entries()) judge(["enforcers", place, "calls", index], call);
    }
  }
  judgeMacros(selectors, macros, spec.selectorsMacros, report);
  if (spec.enforcers?.length === 0) {
    for (const { at, action } of all.flatMap(listActions)) {
      if (action.action === "NotifyEnforcer")
        report([...at, "action"], "NotifyEnforcer needs spec.enforcers");
    }
  }
  const following = all.flatMap(({ selector: { matchBinaries, matchParentBinaries } }) =>
    [...matchBinaries, ...matchParentBinaries].filter(({ followChildren }) => followChildren),
  );
  if (following.length > maxFollowing) {
    report([], `followChildren may be used ${maxFollowing} times, not ${following.length}`);
  }
}

function judgeListName(
  at: readonly PathKey[],
  value: string,
  names: readonly string[],
  report: Report,
): void {
  if (!value.startsWith(listPrefix)) return;
  const name = value.slice(listPrefix.length);
  if (!names.includes(name)) report(at, describeMissing("list", name, names, "spec.lists"));
}

/** A macro adds its filters to those of a selector that names it; macros name no macros. */
function judgeMacros(
  selectors: readonly Located[],
  macros: readonly Located[],
  defined: ReadonlyMap<string, Selector> | undefined,
  report: Report,
): void {
  for (const { at, selector } of macros) {
    if (selector.macros.length > 0) report([...at, "macros"], "must be left out: a macro uses no other");
  }
  if (defined === undefined) return;
  for (const { at, selector } of selectors) {
    for (const [index, name] of selector.macros.entries()) {
      if (defined.has(name)) continue;
      report(
        [...at, "macros", index],
        describeMissing("macro", name, [...defined.keys()], "spec.selectorsMacros"),
      );
    }
  }
}

function describeMissing(what: string, name: string, known: readonly string[], where: string): string {
  const near = findNearestNames(name, known);
  const hint = near.length > 0 ? `; did you mean ${joinNames(near.map(describeValue))}?` : "";
  return `there is no ${what} ${describeValue(name)} in ${where}${hint}`;
}

const listMapValues = ({ at, selector }: Located) =>
  (["matchArgs", "matchData", "matchReturnArgs"] as const).flatMap((name) =>
    selector[name].flatMap((filter, place) =>
      isInMap(filter)
        ? filter.values.map((value, index) => ({ at: [...at, name, place, "values", index], value }))
        : [],
    ),
  );

const listActions = ({ at, selector }: Located): readonly { at: readonly PathKey[]; action: Action }[] =>
  (["matchActions", "matchReturnActions"] as const).flatMap((name) =>
    selector[name].map((action, index) => ({ at: [...at, name, index], action })),
  );
