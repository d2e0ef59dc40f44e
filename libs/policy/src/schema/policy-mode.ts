// SPDX-License-Identifier: Apache-2.0

import { isEnforcing } from "./action.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

/** `monitor_only` cannot be set to anything else: there is nothing in the policy to enforce. */
export type PolicyMode = "enforce" | "monitor" | "monitor_only";

/** As the document has it; who loads the policy may ask for another. Of two options of one name the last one counts. */
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
