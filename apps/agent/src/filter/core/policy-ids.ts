// SPDX-License-Identifier: Apache-2.0
// The numbers by which the kernel knows policies and the workload selectors inside them: one allocator for both, so that
// no two ever meet. There are few; those of one namespace may take only some of them, and some are for the cluster's alone.

import { ALL_PODS_ID } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { namespaceOfKey } from "./policy-key.ts";

/** Entries of policy_filter_maps beside the one of all pods. */
export const MAX_FILTERS = 127;

const FIRST_ID = ALL_PODS_ID + 1;
const LAST_ID = 0xffff;

export interface FilterLimits {
  /** Filters that the policies of one namespace may have. */
  readonly perNamespace: number;
  /** Filters that only policies of no namespace may have. */
  readonly forCluster: number;
}

export const noLimits: FilterLimits = { perNamespace: MAX_FILTERS, forCluster: 0 };

export interface PolicyIds {
  /** The same as before for a key that has one; the error is for people. */
  take(key: string): Result<number, string>;
  release(key: string): void;
  find(key: string): number | undefined;
  /** By namespace; "" is the cluster's. */
  counts(): ReadonlyMap<string, number>;
}

/** `known`: what has a number from before, within the limits or not. `strangers`: numbers of other programs. */
export function createPolicyIds(
  known: ReadonlyMap<string, number>,
  strangers: ReadonlySet<number> = new Set(),
  limits: FilterLimits = noLimits,
): PolicyIds {
  const ids = new Map(known);
  const taken = new Set([...ids.values(), ...strangers]);
  let last = Math.max(ALL_PODS_ID, ...taken);

  /** Not the lowest that is free: a program that has just ended may still ask for its own. */
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

  /** Why one more may not be had; undefined where it may. */
  const findLimit = (namespace: string): string | undefined => {
    if (ids.size >= MAX_FILTERS)
      return `${MAX_FILTERS} policies and workload selectors have a filter already: the map is full`;
    if (namespace === "") return undefined;
    const found = counts();
    const { perNamespace, forCluster } = limits;
    if ((found.get(namespace) ?? 0) >= perNamespace)
      return `the policies of namespace ${namespace} may have ${perNamespace} filters, for themselves and their workload selectors (--namespace-filters)`;
    if (ids.size - (found.get("") ?? 0) >= MAX_FILTERS - forCluster)
      return `policies of namespaces have ${MAX_FILTERS - forCluster} filters already, and the other ${forCluster} are for the cluster's (--cluster-filters)`;
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
