// SPDX-License-Identifier: Apache-2.0
// The ports through which the policy store brings policies into force. A part loader is responsible for one part of every
// policy, such as its filters; the policy loader makes one of them all (combined-loaders.ts).

import type { TracingPolicy } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import type { PolicyName } from "../../filter/core/filter-key.ts";

export type LoadState =
  | { readonly kind: "in-force" }
  | { readonly kind: "loading" }
  /** The error is one line. */
  | { readonly kind: "failed"; readonly error: string };

/** Of a loaded policy. */
interface LoadedState {
  state(name: PolicyName): LoadState;
  /** Resolves when what was loaded, replaced or unloaded so far is in force, gone, or failed. */
  settled(): Promise<void>;
}

/**
 * Errors are one line. The store calls `load` for a policy that is not loaded, and the others for one that is, each when the
 * one before has ended.
 */
export interface PolicyLoader extends LoadedState {
  /** After an error the policy is not loaded. */
  load(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Promise<Result<void, string>>;
  /** The earlier policy stays in force until the new one is, and after an error. */
  replace(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Promise<Result<void, string>>;
  /** After an error it is set as before. */
  configure(name: PolicyName, setting: PolicySetting): Promise<Result<void, string>>;
  unload(name: PolicyName): void;
}

/**
 * One part of every policy. `prepare` takes its time; calls of the others return at once, so that all parts of a policy change
 * together. What the kernel needs time for afterwards shows in `state`.
 */
export interface PartLoader extends LoadedState {
  /** Does what `load`, `replace` or `configure` with the same arguments needs. No process can notice it. */
  prepare(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Promise<Result<void, string>>;
  /** Whatever has come of it: what was prepared and is not used is given up. */
  conclude(name: PolicyName): void;
  /** After an error the policy is not loaded. */
  load(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Result<void, string>;
  /** After an error the earlier policy is still loaded. */
  replace(name: PolicyName, policy: TracingPolicy, setting: PolicySetting): Result<void, string>;
  /** After an error it is set as before. */
  configure(name: PolicyName, setting: PolicySetting): Result<void, string>;
  unload(name: PolicyName): void;
}
