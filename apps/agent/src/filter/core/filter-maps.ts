// SPDX-License-Identifier: Apache-2.0
// The port of the filter maps, which hold the cgroup ids of each filter: in the kernel, or in memory.

import { ok, type Result } from "@rthooks/result";

export interface FoundFilter {
  /** The key that it was put under; empty for an unnamed filter. */
  readonly key: string;
  readonly cgroupIds: ReadonlySet<bigint>;
}

/** Whether a filter is in force. A failed one is retried by `retry`; its error is one line. */
export type FilterStatus =
  | { readonly kind: "in-force" }
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly error: string };

/** No call waits for an RCU grace period of the kernel. Errors are one line. */
export interface FilterMaps {
  /** What the maps held when they were opened, by filter id. It stays in force until it is changed here. */
  readonly found: ReadonlyMap<number, FoundFilter>;
  /**
   * A filter that has a map is changed in place, cgroup by cgroup, additions first; a new one comes into force later, with
   * all of its cgroups at once. After an error nothing has changed.
   */
  putFilter(filterId: number, key: string, cgroupIds: Iterable<bigint>): Result<void, string>;
  /** The map is removed later. */
  removeFilter(filterId: number): void;
  add(filterId: number, cgroupId: bigint): Result<void, string>;
  /** No error for an entry that does not exist. */
  remove(filterId: number, cgroupId: bigint): Result<void, string>;
  status(filterId: number): FilterStatus;
  /** Resolves when every filter put or removed so far has been published to the kernel, or has failed. */
  settled(): Promise<void>;
  /** Retries what has failed. */
  retry(): void;
  /** What was put stays in force. */
  close(): void;
}

const inForce: FilterStatus = { kind: "in-force" };

/** In memory: nothing is enforced. */
export const noFilterMaps: FilterMaps = {
  found: new Map(),
  putFilter: () => ok(undefined),
  removeFilter: () => {},
  add: () => ok(undefined),
  remove: () => ok(undefined),
  status: () => inForce,
  settled: () => Promise.resolve(),
  retry: () => {},
  close: () => {},
};
