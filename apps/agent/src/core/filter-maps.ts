// SPDX-License-Identifier: Apache-2.0
// Where the policy filter's contents are kept for whoever decides by them: the kernel's maps, or memory.

import { ok, type Result } from "@rthooks/result";

export interface FoundPolicy {
  /** As it was put; empty where that is not known. */
  readonly key: string;
  readonly cgroupIds: ReadonlySet<bigint>;
}

/** Errors are one line for people. */
export interface FilterMaps {
  /** What was there before this process, by policy id. It stays in force until something here takes it out. */
  readonly found: ReadonlyMap<number, FoundPolicy>;
  /** All at once: nobody sees the policy with a part of its cgroups. */
  putPolicy(policyId: number, key: string, cgroupIds: Iterable<bigint>): Result<void, string>;
  removePolicy(policyId: number): Result<void, string>;
  add(policyId: number, cgroupId: bigint): Result<void, string>;
  /** Also where it is not there. */
  remove(policyId: number, cgroupId: bigint): Result<void, string>;
  /** What was put stays in force. */
  close(): void;
}

/** Enforced by nobody. */
export const noFilterMaps: FilterMaps = {
  found: new Map(),
  putPolicy: () => ok(undefined),
  removePolicy: () => ok(undefined),
  add: () => ok(undefined),
  remove: () => ok(undefined),
  close: () => {},
};
