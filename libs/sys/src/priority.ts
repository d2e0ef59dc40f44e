// SPDX-License-Identifier: Apache-2.0

import { setPriority } from "node:os";

/** Not the highest priority, which critical processes of the node need. */
const NICE = -15;

/**
 * Raises the priority of the calling thread, since containers wait for it. Returns whether that is permitted (CAP_SYS_NICE,
 * setpriority(2)). Existing threads, such as the compiler's and the garbage collector's, keep their priority.
 */
export function raisePriority(): boolean {
  try {
    setPriority(NICE);
    return true;
  } catch {
    return false;
  }
}

/** Sets the calling thread to normal priority: new threads inherit the raised one. */
export function resetPriority(): void {
  try {
    setPriority(0);
  } catch {
    // The thread keeps its priority.
  }
}
