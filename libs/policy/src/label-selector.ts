// SPDX-License-Identifier: Apache-2.0
// Kubernetes' label selectors (apimachinery pkg/apis/meta/v1 LabelSelector, pkg/labels Requirement.Matches).

import type { Labels } from "@rthooks/oci";

export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** All requirements must hold; a selector without requirements matches everything. */
export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly LabelRequirement[];
}

export const matchAll: LabelSelector = { matchLabels: new Map(), matchExpressions: [] };

export const matchesSelector = (selector: LabelSelector, labels: Labels): boolean =>
  findUnmetRequirement(selector, labels) === undefined;

/**
 * The first requirement that does not hold; a text is the key of an entry of `matchLabels`. Undefined where the selector
 * matches.
 */
export function findUnmetRequirement(
  selector: LabelSelector,
  labels: Labels,
): string | LabelRequirement | undefined {
  for (const [key, value] of selector.matchLabels) if (labels.get(key) !== value) return key;
  return selector.matchExpressions.find((requirement) => !meets(requirement, labels.get(requirement.key)));
}

/** NotIn holds for an absent label. */
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
 * A label that the selector requires, with the values that it may have: the key for a lookup in an index. Undefined where
 * the selector requires no particular label.
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
