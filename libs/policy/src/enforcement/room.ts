// SPDX-License-Identifier: Apache-2.0

import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import { hookKinds } from "../schema/references.ts";
import { expandMacros } from "./plain-selector.ts";
import type { MissingCapability } from "./policy-rule.ts";

/** What the programs have for all policies of a node (bpf/rules.h, and the entries of maps in bpf/). */
const maxRules = 256;
const maxValues = 16_384;
const maxPoints = 512;

/** Found before anything else is looked at, so that the work for a hostile policy is bounded. */
export function findMissingRoom({ lists, ...spec }: TracingPolicySpec): MissingCapability | undefined {
  const hooks = hookKinds.flatMap(
    (kind): readonly Pick<TracingPolicySpec["lsmhooks"][number], "selectors">[] => spec[kind],
  );
  const rules = sum(hooks.map(({ selectors }) => Math.max(1, selectors.length)));
  if (rules > maxRules) return { field: "selectors", needs: `room for ${rules} rules, of ${maxRules}` };
  const members = new Map(lists.map(({ name, values }) => [`list:${name}`, values.length]));
  const points = sum([...spec.kprobes, ...spec.fentries].map(({ call }) => members.get(call) ?? 1));
  if (points > maxPoints) return { field: "lists", needs: `room for ${points} hooks, of ${maxPoints}` };
  const selectors = hooks
    .flatMap((hook) => hook.selectors)
    .map((selector) => expandMacros(selector, spec.selectorsMacros));
  const filters = selectors.flatMap(({ matchArgs, matchBinaries, matchPIDs }) => [
    ...matchArgs.map(({ values }) => sum(values.map((value) => members.get(value) ?? 1))),
    ...[...matchBinaries, ...matchPIDs].map(({ values }) => values.length),
  ]);
  const values = sum(filters);
  return values > maxValues
    ? { field: "matchArgs", needs: `room for ${values} values, of ${maxValues}` }
    : undefined;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
