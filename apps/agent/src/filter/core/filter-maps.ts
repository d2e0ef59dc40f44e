// SPDX-License-Identifier: Apache-2.0
// Where the policy filter's contents are kept: the kernel's maps, or memory.

import { ok, type Result } from "@rthooks/result";

export interface FoundPolicy {
  /** As it was put; empty where that is not known. */
  readonly key: string;
  readonly cgroupIds: ReadonlySet<bigint>;
}

/** Whether a policy's filter is in force. */
export type FilterStanding =
  | { readonly kind: "in-force" }
  | { readonly kind: "loading" }
  /** It is tried again with `retry`; the error is one line for people. */
  | { readonly kind: "failed"; readonly error: string };

/** No call waits for the kernel's RCU grace periods. Errors are one line for people. */
export interface FilterMaps {
  /** What was there before this process, by policy id. It stays in force until something here takes it out. */
  readonly found: ReadonlyMap<number, FoundPolicy>;
  /**
   * A policy that has a map is changed where it is, cgroup by cgroup, first what is added; one that is new comes into force
   * later, with all of its cgroups at once. An error means that nothing has changed.
   */
  putPolicy(policyId: number, key: string, cgroupIds: Iterable<bigint>): Result<void, string>;
  /** It goes later. */
  removePolicy(policyId: number): void;
  add(policyId: number, cgroupId: bigint): Result<void, string>;
  /** Also where it is not there. */
  remove(policyId: number, cgroupId: bigint): Result<void, string>;
  standing(policyId: number): FilterStanding;
  /** Resolves when everything that was to come or to go later has done so, or has failed. */
  settled(): Promise<void>;
  /** What has failed, once more. */
  retry(): void;
  /** What was put stays in force. */
  close(): void;
}

const inForce: FilterStanding = { kind: "in-force" };

/** In memory: nothing is enforced. */
export const noFilterMaps: FilterMaps = {
  found: new Map(),
  putPolicy: () => ok(undefined),
  removePolicy: () => {},
  add: () => ok(undefined),
  remove: () => ok(undefined),
  standing: () => inForce,
  settled: () => Promise.resolve(),
  retry: () => {},
  close: () => {},
};
