// SPDX-License-Identifier: Apache-2.0

import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import { hookKinds } from "../schema/references.ts";
import { expandMacros } from "./plain-selector.ts";
import type { MissingCapability } from "./policy-rule.ts";

/** What the programs have for all policies of a node (bpf/rules.h, and the entries of maps in bpf/enforce.bpf.c). */
const maxRules = 256;
const maxValues = 16_384;

/** Found before anything else is looked at, so that the work for a hostile policy is bounded. */
export function findMissingRoom(spec: TracingPolicySpec): MissingCapability | undefined {
  const hooks = hookKinds.flatMap(
    (kind): readonly Pick<TracingPolicySpec["lsmhooks"][number], "selectors">[] => spec[kind],
  );
  const rules = sum(hooks.map(({ selectors }) => Math.max(1, selectors.length)));
  if (rules > maxRules) return { field: "selectors", needs: `room for ${rules} rules, of ${maxRules}` };
  const selectors = hooks.flatMap((hook) => hook.selectors);
  const filters = selectors.flatMap((selector) => expandMacros(selector, spec.selectorsMacros).matchArgs);
  const values = sum(filters.map((filter) => filter.values.length));
  return values > maxValues
    ? { field: "matchArgs", needs: `room for ${values} values, of ${maxValues}` }
    : undefined;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
