// SPDX-License-Identifier: Apache-2.0
// Chooses the nested cgroups of a container that are followed: those that were followed and still exist, and those that
// were found, in steps of bounded work.

import type { Cgroup } from "@rthooks/machines/pod";

/** Enough for what a container needs; more would fill the policies' maps for all containers. */
export const maxNested = 1024;
/** Per step. Each of them changes the map of every policy that selects the container. */
const maxChanges = 64;

export interface FoundNested {
  readonly cgroups: readonly Cgroup[];
  /** False where there were too many to list: a cgroup that is not listed may exist. */
  readonly isComplete: boolean;
}

interface NestedStep {
  readonly cgroups: readonly Cgroup[];
  /** Another step is needed. */
  readonly hasMore: boolean;
  /** Some cgroups exceed the limit and are not followed. */
  readonly isFull: boolean;
}

/** `exists`: called for followed cgroups that were not found in an incomplete list. */
export function followNested(
  followed: readonly Cgroup[],
  { cgroups: found, isComplete }: FoundNested,
  exists: (cgroup: Cgroup) => boolean,
): NestedStep {
  let changes = 0;
  const foundIds = new Set(found.map(({ id }) => id));
  const isKept = (cgroup: Cgroup): boolean => {
    if (foundIds.has(cgroup.id) || (!isComplete && exists(cgroup))) return true;
    changes++;
    // A removed cgroup has no processes: it can wait for the next step.
    return changes > maxChanges;
  };
  const kept = followed.filter(isKept);
  const hasMoreGone = changes > maxChanges;
  const keptIds = new Set(kept.map(({ id }) => id));
  const fresh = found.filter(({ id }) => !keptIds.has(id));
  const added = fresh.slice(0, Math.min(maxChanges, Math.max(0, maxNested - kept.length)));
  const isFull = kept.length + fresh.length > maxNested || !isComplete;
  const hasRoom = kept.length + added.length < maxNested;
  return {
    cgroups: [...kept, ...added],
    hasMore: hasMoreGone || (hasRoom && added.length < fresh.length),
    isFull,
  };
}
