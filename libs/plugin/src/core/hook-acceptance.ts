// SPDX-License-Identifier: Apache-2.0
// Whether the runtime makes containers with the hook that was added to them. With NRI's default validator and its
// reject_oci_hook_adjustment (containerd 2.2, CRI-O 1.34) it makes none, and tells only who asked for the container.

export interface HookAcceptance {
  /** The hook was added to a container. */
  added(containerId: string): void;
  /** The runtime has made it. */
  created(containerId: string): void;
  /** The runtime gave it up or removed it. True when it has now made none of the last few. */
  undone(containerId: string): boolean;
}

/** Other failures, such as a full disk, keep single containers from being made. */
const MISSES = 3;
/** Runtimes that do not say what became of a container. */
const MAX_PENDING = 1000;

export function createHookAcceptance(): HookAcceptance {
  const pending = new Set<string>();
  let misses = 0;
  return {
    added(containerId) {
      pending.add(containerId);
      for (const oldest of pending) {
        if (pending.size <= MAX_PENDING) break;
        pending.delete(oldest);
      }
    },
    created(containerId) {
      if (pending.delete(containerId)) misses = 0;
    },
    undone(containerId) {
      if (!pending.delete(containerId)) return false;
      misses++;
      return misses === MISSES;
    },
  };
}
