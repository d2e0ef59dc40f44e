// SPDX-License-Identifier: Apache-2.0

import { isEnforcing } from "./action.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

/** `monitor_only`: the policy has no enforcing action, and its mode cannot be changed. */
export type PolicyMode = "enforce" | "monitor" | "monitor_only";

/** The mode of the document; a client may change it later. Of two options with one name the last one counts. */
export function policyMode({ spec }: TracingPolicy): PolicyMode {
  const enforces = hookKinds
    .flatMap((kind) => spec[kind].flatMap(({ selectors }) => selectors))
    .flatMap(({ matchActions, macros }) => [
      ...matchActions,
      ...macros.flatMap((name) => spec.selectorsMacros.get(name)?.matchActions ?? []),
    ])
    .some(isEnforcing);
  if (!enforces) return "monitor_only";
  const option = spec.options.findLast(({ name }) => name === "policy-mode");
  return option?.value === "monitor" ? "monitor" : "enforce";
}
