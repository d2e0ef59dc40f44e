// SPDX-License-Identifier: Apache-2.0
// Which policies select a container, and why the others do not.

import type { FailingTerm, PolicyEnforcement, PolicyMatch } from "@rthooks/explain";
import { type FilteredContainer, findSelection, type TracingPolicy } from "@rthooks/policy";
import type { PolicyName, PolicyStatus } from "../../policies/core/policy-store.ts";

export interface PolicyFacts {
  /** Of all domains, in the order of their ids. */
  readonly policies: readonly PolicyStatus[];
  /** Undefined for a policy that is not loaded. */
  policyOf(name: PolicyName): TracingPolicy | undefined;
  /** Undefined for a policy without rules in the kernel. */
  enforcementOf(policy: PolicyStatus): PolicyEnforcement | undefined;
}

export const matchPolicies = (
  container: FilteredContainer,
  { policies, policyOf, enforcementOf }: PolicyFacts,
): readonly PolicyMatch[] =>
  policies.map((status) => {
    const { name, namespace, domain, state, mode } = status;
    const policy = policyOf(status);
    const selection = policy && findSelection(policy, container);
    const failing = findStateTerm(status, policy) ?? selection?.unmet;
    const selectors = selection?.selectors ?? [];
    return {
      ...{ name, namespace, domain, state, mode, failing },
      selects: failing === undefined,
      selectors: selectors.map(({ selector, unmet }) => ({ selector, failing: unmet })),
      enforcement: enforcementOf(status),
    };
  });

/** A policy that is not in force selects nothing. */
function findStateTerm(
  { state, error }: PolicyStatus,
  policy: TracingPolicy | undefined,
): FailingTerm | undefined {
  switch (state) {
    case "disabled":
      return { term: "the policy is enabled", found: "it is disabled" };
    case "loading":
      return { term: "the policy is in force", found: "it is being loaded" };
    case "skipped":
      return { term: "the policy is for this node", found: "its nodeSelector does not match the node" };
    case "load_error":
      return { term: "the policy is loaded", found: error };
    case "enabled":
      return policy === undefined ? { term: "the policy is loaded", found: "it is not" } : undefined;
  }
}
