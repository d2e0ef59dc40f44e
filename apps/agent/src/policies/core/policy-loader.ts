// SPDX-License-Identifier: Apache-2.0
// The port through which the policy store brings policies into force. A loader is responsible for one part of every policy,
// such as its filters; a policy is in force when all loaders have it in force (combined-loaders.ts).

import type { TracingPolicy } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import type { PolicyName } from "../../filter/core/filter-key.ts";

export type LoadState =
  | { readonly kind: "in-force" }
  | { readonly kind: "loading" }
  /** The error is one line. */
  | { readonly kind: "failed"; readonly error: string };

/**
 * Calls return at once: what the kernel needs time for goes on afterwards, and `state` reports it. Errors are one line.
 * The store calls `load` for a policy that is not loaded, and `replace` and `unload` for one that is.
 */
export interface PolicyLoader {
  /** After an error the policy is not loaded. */
  load(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Result<void, string>;
  /** After an error the earlier policy is still loaded. */
  replace(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Result<void, string>;
  /** Of a loaded policy. After an error it is set as before. */
  configure(name: PolicyName, setting: PolicySetting): Result<void, string>;
  unload(name: PolicyName): void;
  /** Of a loaded policy. */
  state(name: PolicyName): LoadState;
  /** Resolves when what was loaded, replaced or unloaded so far is in force, gone, or failed. */
  settled(): Promise<void>;
}
