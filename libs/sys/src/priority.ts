// SPDX-License-Identifier: Apache-2.0

import { setPriority } from "node:os";

/** Not the highest: what keeps the node alive comes before containers that start. */
const NICE = -15;

/**
 * Lets the calling thread be scheduled before others of its cgroup: while it waits for a processor, so does a container.
 * Whether that is allowed (CAP_SYS_NICE, setpriority(2)); helper threads that exist keep theirs, which is right for
 * compilers and garbage collectors.
 */
export function raisePriority(): boolean {
  try {
    setPriority(NICE);
    return true;
  } catch {
    return false;
  }
}

/** For a thread of a program with more than the usual priority, which new threads inherit. */
export function resetPriority(): void {
  try {
    setPriority(0);
  } catch {
    // It goes on with what it has.
  }
}
