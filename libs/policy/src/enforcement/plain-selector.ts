// SPDX-License-Identifier: Apache-2.0
// A selector with the filters of its macros, and what of it no program compares.

import type { Selector } from "../schema/selector.ts";
import type { MissingCapability } from "./policy-rule.ts";

/** What the programs would have to compare, by the field that asks for it. */
const unsupported = {
  matchData: "data of the hook",
  matchReturnArgs: "the return value",
  matchReturnActions: "the return value",
  matchParentBinaries: "the binary of the parent process",
  matchNamespaces: "namespaces",
  matchNamespaceChanges: "changes of namespaces",
  matchCapabilities: "capabilities",
  matchCapabilityChanges: "changes of capabilities",
} as const satisfies Partial<Record<keyof Selector, string>>; // const: keys of a selector

const unsupportedFields = Object.keys(unsupported) as (keyof typeof unsupported)[]; // its own keys

/** The lists of the macros are added to those of the selector. */
export function expandMacros(selector: Selector, macros: ReadonlyMap<string, Selector>): Selector {
  const used = [...new Set(selector.macros)].flatMap((name) => macros.get(name) ?? []);
  const all = [selector, ...used];
  const lists = [...unsupportedFields, "matchArgs", "matchActions", "matchBinaries", "matchPIDs"] as const; // const: keys of a selector
  const expanded = Object.fromEntries(lists.map((name) => [name, all.flatMap((one) => [...one[name]])]));
  return { ...selector, ...expanded };
}

/** `selector`: with its macros expanded. */
export function findUncompared(selector: Selector): MissingCapability | undefined {
  const field = unsupportedFields.find((name) => selector[name].length > 0);
  return field && { field, needs: `programs that compare ${unsupported[field]}` };
}
