// SPDX-License-Identifier: Apache-2.0
// Filter ids: the numbers by which the kernel knows the filters of policies and of their selectors, from one allocator.
// There are few, so the policies of one namespace have a quota, and some are reserved for cluster-wide policies.

import { ALL_PODS_ID } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { namespaceOfKey } from "./filter-key.ts";

/** Entries of policy_filter_maps besides the filter of all pods. */
export const MAX_FILTERS = 127;

const FIRST_ID = ALL_PODS_ID + 1;
const LAST_ID = 0xffff;

export interface FilterLimits {
  /** Filters that the policies of one namespace may have. */
  readonly perNamespace: number;
  /** Filters that are reserved for cluster-wide policies. */
  readonly forCluster: number;
}

export const noLimits: FilterLimits = { perNamespace: MAX_FILTERS, forCluster: 0 };

export interface FilterIds {
  /** Returns the id that the key has, or gives it one; the error names the limit. */
  take(key: string): Result<number, string>;
  release(key: string): void;
  find(key: string): number | undefined;
  /** By namespace; "" stands for cluster-wide policies. */
  counts(): ReadonlyMap<string, number>;
}

/** `known`: ids from an earlier agent, kept even beyond the limits. `unnamed`: ids that are not given out. */
export function createFilterIds(
  known: ReadonlyMap<string, number>,
  unnamed: ReadonlySet<number> = new Set(),
  limits: FilterLimits = noLimits,
): FilterIds {
  const ids = new Map(known);
  const taken = new Set([...ids.values(), ...unnamed]);
  let last = Math.max(ALL_PODS_ID, ...taken);

  /** Not the lowest free id: a program that is about to end may still ask for its own. */
  const findFree = (): number => {
    do last = last >= LAST_ID ? FIRST_ID : last + 1;
    while (taken.has(last));
    return last;
  };

  const counts = (): ReadonlyMap<string, number> => {
    const found = new Map<string, number>();
    for (const key of ids.keys()) found.set(namespaceOfKey(key), (found.get(namespaceOfKey(key)) ?? 0) + 1);
    return found;
  };

  /** The limit that one more filter would exceed; undefined if it may be added. */
  const findLimit = (namespace: string): string | undefined => {
    if (ids.size >= MAX_FILTERS)
      return `${MAX_FILTERS} policies and workload selectors have a filter already: the map is full`;
    if (namespace === "") return undefined;
    const found = counts();
    const { perNamespace, forCluster } = limits;
    if ((found.get(namespace) ?? 0) >= perNamespace)
      return `the policies of namespace ${namespace} may have ${perNamespace} filters, for themselves and their workload selectors (--namespace-filters)`;
    if (ids.size - (found.get("") ?? 0) >= MAX_FILTERS - forCluster)
      return `namespaced policies have ${MAX_FILTERS - forCluster} filters already; the other ${forCluster} are reserved for cluster-wide policies (--cluster-filters)`;
    return undefined;
  };

  return {
    counts,
    take(key) {
      const own = ids.get(key);
      if (own !== undefined) return ok(own);
      const limit = findLimit(namespaceOfKey(key));
      if (limit !== undefined) return err(limit);
      const id = findFree();
      ids.set(key, id);
      taken.add(id);
      return ok(id);
    },
    release(key) {
      const id = ids.get(key);
      ids.delete(key);
      if (id !== undefined) taken.delete(id);
    },
    find: (key) => ids.get(key),
  };
}
