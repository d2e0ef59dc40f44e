// SPDX-License-Identifier: Apache-2.0
// Which cgroups below a container's root are followed: those that were followed and still exist, and those that were
// found, in steps of bounded work.

import type { Cgroup } from "@rthooks/machines/pod";

/** Room for what a container may sensibly make; more would fill the policies' maps for all others. */
export const maxNested = 1024;
/** Each of them is a change of every policy's map that the container is in. */
const maxChanges = 64;

export interface FoundNested {
  readonly cgroups: readonly Cgroup[];
  /** False where there were too many: what is not among them may exist. */
  readonly isComplete: boolean;
}

interface NestedStep {
  readonly cgroups: readonly Cgroup[];
  /** Another step would change more. */
  readonly hasMore: boolean;
  /** There is no room for some of them. */
  readonly isFull: boolean;
}

/** `isThere`: asked of those that are followed and were not found, where not all was listed. */
export function followNested(
  followed: readonly Cgroup[],
  { cgroups: found, isComplete }: FoundNested,
  isThere: (cgroup: Cgroup) => boolean,
): NestedStep {
  let changes = 0;
  const foundIds = new Set(found.map(({ id }) => id));
  const isKept = (cgroup: Cgroup): boolean => {
    if (foundIds.has(cgroup.id) || (!isComplete && isThere(cgroup))) return true;
    changes++;
    // Of one that is gone nothing runs any more: it can wait for the next step.
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
