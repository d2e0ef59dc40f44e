// SPDX-License-Identifier: Apache-2.0
// Rules between the parts of a spec: names must refer to something, and limits for all hooks together must hold.

import type { Action } from "./action.ts";
import { describeValue } from "./describe-value.ts";
import { findNearestNames, joinNames } from "./nearest-names.ts";
import { maxProblems, type PathKey } from "./policy-problem.ts";
import type { Selector } from "./selector.ts";
import type { Report } from "./shape.ts";
import { isInMap } from "./value-filter.ts";

const listPrefix = "list:";
/** Each has its own bit of 64. */
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

interface LocatedSelector {
  readonly at: readonly PathKey[];
  readonly selector: Selector;
}

export function checkReferences(spec: Partial<Spec>, report: Report): void {
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

  if (spec.lists !== undefined) {
    const names = new Set(spec.lists.map(({ name }) => name));
    const values = [
      ...hooks.map(({ at, hook }) => ({ at: [...at, "call"], value: hook.call ?? "" })),
      ...all.flatMap(listMapValues),
      ...(spec.enforcers ?? []).flatMap(({ calls }, place) =>
        calls.map((value, index) => ({ at: ["enforcers", place, "calls", index], value })),
      ),
    ];
    const named = values
      .filter(({ value }) => value.startsWith(listPrefix))
      .map(({ at, value }) => ({ at, name: value.slice(listPrefix.length) }));
    reportMissing(named, names, "list", "spec.lists", report);
  }
  checkMacros(selectors, macros, spec.selectorsMacros, report);
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
    report([], `followChildren may be used at most ${maxFollowing} times, not ${following.length}`);
  }
}

/** A macro adds its filters to the selectors that name it; a macro cannot name macros. */
function checkMacros(
  selectors: readonly LocatedSelector[],
  macros: readonly LocatedSelector[],
  defined: ReadonlyMap<string, Selector> | undefined,
  report: Report,
): void {
  for (const { at, selector } of macros) {
    if (selector.macros.length > 0) report([...at, "macros"], "must be left out: a macro cannot use macros");
  }
  if (defined === undefined) return;
  const named = selectors.flatMap(({ at, selector }) =>
    selector.macros.map((name, index) => ({ at: [...at, "macros", index], name })),
  );
  reportMissing(named, new Set(defined.keys()), "macro", "spec.selectorsMacros", report);
}

/** Suggestions search all names, so only as many are made as there are problems in the output. */
function reportMissing(
  named: readonly { readonly at: readonly PathKey[]; readonly name: string }[],
  known: ReadonlySet<string>,
  what: string,
  where: string,
  report: Report,
): void {
  for (const { at, name } of named.filter(({ name }) => !known.has(name)).slice(0, maxProblems)) {
    const near = findNearestNames(name, [...known]);
    const hint = near.length > 0 ? `; did you mean ${joinNames(near.map(describeValue))}?` : "";
    report(at, `${where} has no ${what} ${describeValue(name)}${hint}`);
  }
}

const listMapValues = ({ at, selector }: LocatedSelector) =>
  (["matchArgs", "matchData", "matchReturnArgs"] as const).flatMap((name) =>
    selector[name].flatMap((filter, place) =>
      isInMap(filter)
        ? filter.values.map((value, index) => ({ at: [...at, name, place, "values", index], value }))
        : [],
    ),
  );

const listActions = ({
  at,
  selector,
}: LocatedSelector): readonly { at: readonly PathKey[]; action: Action }[] =>
  (["matchActions", "matchReturnActions"] as const).flatMap((name) =>
    selector[name].map((action, index) => ({ at: [...at, name, index], action })),
  );
