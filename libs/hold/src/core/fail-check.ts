// SPDX-License-Identifier: Apache-2.0
// The fail check: decides about a container when the agent has not released it.
//
//   a CEL expression is set   it is true                          denied
//                             it is false                         allowed
//                             it fails or is not a boolean        denied
//   otherwise                 the container has a namespace key,
//                             and each that it has holds a listed
//                             or matching value                   allowed
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
  /** Replaces the two lists. True denies the container. */
  readonly expression: ((annotations: Annotations) => Result<boolean, string>) | undefined;
}

/** `denial`: the reason, in the words of Tetragon's hook. */
export type FailCheckResult =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly denial: string };

const denied: FailCheckResult = { allowed: false, denial: "failCheck determined that we should fail" };

/**
 * `annotations` must be trusted: without the identity keys of other runtimes, which a pod's author can write. `written` may
 * hold them: a namespace in `written` can deny the container, but never allow it. The expression does not see `written`.
 */
export function decideFailure(
  rules: FailRules,
  annotations: Annotations,
  written: Annotations = annotations,
): FailCheckResult {
  if (rules.expression !== undefined) {
    const failed = rules.expression(annotations);
    if (!failed.ok) return { allowed: false, denial: `failed to run failCheck: ${failed.error}` };
    return failed.value ? denied : { allowed: true };
  }
  const namespacesIn = (source: Annotations): readonly string[] =>
    rules.namespaceKeys.map((key) => source.get(key)).filter((value) => value !== undefined);
  const own = namespacesIn(annotations);
  const mayStart = (namespace: string): boolean =>
    rules.allowNamespaces.includes(namespace) ||
    rules.allowPatterns.some((pattern) => pattern.test(namespace));
  return own.length > 0 && [...own, ...namespacesIn(written)].every(mayStart) ? { allowed: true } : denied;
}
