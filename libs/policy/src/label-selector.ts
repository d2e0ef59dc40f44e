// SPDX-License-Identifier: Apache-2.0
// Kubernetes' label selectors (apimachinery pkg/apis/meta/v1 LabelSelector, pkg/labels Requirement.Matches).

import type { Labels } from "@rthooks/oci";

export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** All requirements must hold; without any it matches everything. */
export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly LabelRequirement[];
}

export const matchAll: LabelSelector = { matchLabels: new Map(), matchExpressions: [] };

export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of selector.matchLabels) if (labels.get(key) !== value) return false;
  return selector.matchExpressions.every((requirement) => meets(requirement, labels.get(requirement.key)));
}

/** A label that is absent is no value, so NotIn holds for it. */
function meets(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

export const selectsEverything = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  matchLabels.size === 0 && matchExpressions.length === 0;

/**
 * Labels of which one must be there for a selector to match, each with the values that it may have: what an index can be
 * asked for. Undefined where a match needs no particular label.
 */
export function findAnchor(
  selector: LabelSelector,
): { readonly key: string; readonly values: readonly string[] } | undefined {
  for (const [key, value] of selector.matchLabels) return { key, values: [value] };
  for (const requirement of selector.matchExpressions) {
    if (requirement.operator === "In") return requirement;
  }
  return undefined;
}
