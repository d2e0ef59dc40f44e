// SPDX-License-Identifier: Apache-2.0
// What a valid policy comes to for whoever loads it.

import type { FilterDefinition } from "../filter/filter-definition.ts";
import { matchAll, selectsEverything } from "../label-selector.ts";
import { listSelectors } from "./check-policy.ts";
import type { TracingPolicy } from "./parse-tracing-policy.ts";

/**
 * The containers that a policy is about; undefined for one that is about everything and needs no filter. A selector of pods
 * brings all of their containers, one of containers those of all pods, unless the other says less.
 */
export function toFilterDefinition({ namespace, spec }: TracingPolicy): FilterDefinition | undefined {
  const pods = spec.podSelector ?? undefined;
  const containers = spec.containerSelector ?? undefined;
  const host = spec.hostSelector != null;
  if (namespace === undefined) {
    const given = [pods, containers];
    if (given.every((selector) => selector === undefined) && !host) return undefined;
    if (host && given.every((selector) => selector !== undefined && selectsEverything(selector)))
      return undefined;
  }
  const isAboutPods = namespace !== undefined || pods !== undefined || containers !== undefined;
  return {
    namespace,
    podSelector: isAboutPods ? (pods ?? matchAll) : undefined,
    containerSelector: isAboutPods ? (containers ?? matchAll) : undefined,
    hostSelector: host,
  };
}

export type PolicyMode = "enforce" | "monitor" | "monitor_only";

const enforcing: readonly string[] = ["Sigkill", "Signal", "Override", "NotifyEnforcer", "Set"];

/** Whether something of the policy can do more than tell. */
function canEnforce(policy: TracingPolicy): boolean {
  return listSelectors(policy).some(({ selector }) =>
    [...(selector.matchActions ?? []), ...(selector.matchReturnActions ?? [])].some(({ action }) =>
      enforcing.includes(action),
    ),
  );
}

/** As the policy itself wants it. */
export function findMode(policy: TracingPolicy): PolicyMode {
  if (!canEnforce(policy)) return "monitor_only";
  const option = (policy.spec.options ?? []).findLast(({ name }) => name === "policy-mode");
  return option?.value === "monitor" ? "monitor" : "enforce";
}
