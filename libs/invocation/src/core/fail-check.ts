// SPDX-License-Identifier: Apache-2.0
// What becomes of a container when the agent could not be asked.
//
//   a CEL expression is set   it is true                          denied
//                             it is false                         allowed
//                             it fails or is no boolean           denied
//   otherwise                 a namespace key of the container
//                             has a listed or matching value      allowed
//                             no such key, or another value       denied

import type { Annotations } from "@rthooks/oci";
import type { Result } from "@rthooks/result";

export interface Pattern {
  test(text: string): boolean;
}

export interface FailRules {
  readonly namespaceKeys: readonly string[];
  readonly allowNamespaces: readonly string[];
  readonly allowPatterns: readonly Pattern[];
  /** Replaces the two lists. True fails the container. */
  readonly expression: ((annotations: Annotations) => Result<boolean, string>) | undefined;
}

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly denial: string };

const denied: Verdict = { allowed: false, denial: "failCheck determined that we should fail" };

/** `annotations` must hold no identity that another runtime's keys could fake. */
export function decideFailure(rules: FailRules, annotations: Annotations): Verdict {
  if (rules.expression !== undefined) {
    const failed = rules.expression(annotations);
    if (!failed.ok) return { allowed: false, denial: `failed to run failCheck: ${failed.error}` };
    return failed.value ? denied : { allowed: true };
  }
  for (const key of rules.namespaceKeys) {
    const namespace = annotations.get(key);
    if (namespace === undefined) continue;
    if (rules.allowNamespaces.includes(namespace)) return { allowed: true };
    if (rules.allowPatterns.some((pattern) => pattern.test(namespace))) return { allowed: true };
  }
  return denied;
}
