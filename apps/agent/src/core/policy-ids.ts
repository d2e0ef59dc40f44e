// SPDX-License-Identifier: Apache-2.0
// The numbers by which the kernel knows policies and the workload selectors inside them: one allocator for both, so that
// no two ever meet.

import { ALL_PODS_ID } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";

/** Entries of policy_filter_maps beside the one of all pods. */
const MAX_POLICIES = 127;

const FIRST_ID = ALL_PODS_ID + 1;
const LAST_ID = 0xffff;

export interface PolicyIds {
  /** The same as before for a key that has one; the error is for people. */
  take(key: string): Result<number, string>;
  release(key: string): void;
  find(key: string): number | undefined;
}

/** `known`: what has a number from before. */
export function createPolicyIds(known: ReadonlyMap<string, number>): PolicyIds {
  const ids = new Map(known);
  const taken = new Set(ids.values());
  let last = Math.max(ALL_PODS_ID, ...taken);

  /** Not the lowest that is free: a program that has just ended may still ask for its own. */
  const findFree = (): number => {
    do last = last >= LAST_ID ? FIRST_ID : last + 1;
    while (taken.has(last));
    return last;
  };

  return {
    take(key) {
      const own = ids.get(key);
      if (own !== undefined) return ok(own);
      if (ids.size >= MAX_POLICIES) {
        return err(`${MAX_POLICIES} policies and workload selectors have a filter already: the map is full`);
      }
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
