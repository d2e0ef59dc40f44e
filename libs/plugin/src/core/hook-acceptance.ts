// SPDX-License-Identifier: Apache-2.0
// Hook acceptance: whether the runtime creates the containers to which the plugin added a hook. NRI's default validator
// with reject_oci_hook_adjustment (containerd 2.2, CRI-O 1.34) makes their creation fail. The plugin gets no error for
// that, only the events of the removal.

export interface HookAcceptance {
  /** The plugin added the hook to a container. */
  added(containerId: string): void;
  /** The runtime created the container. */
  created(containerId: string): void;
  /** The runtime stopped or removed the container. True when it is the last of MISSES in a row that were not created. */
  removed(containerId: string): boolean;
}

/** More than one, since other errors, such as a full disk, make the creation of single containers fail. */
const MISSES = 3;
/** A bound for runtimes that send neither event. */
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
    removed(containerId) {
      if (!pending.delete(containerId)) return false;
      misses++;
      return misses === MISSES;
    },
  };
}
