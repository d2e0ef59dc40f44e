// SPDX-License-Identifier: Apache-2.0
// Processes with given numbers and their descendants, as far as events name them.

import type { EventSubject } from "./event-subject.ts";
import { eventTypes } from "./event-subject.ts";

/** Descendants that are remembered; beyond it the oldest are forgotten. */
const maxDescendants = 8192;

export function createPidSet(pids: readonly number[]): (subject: EventSubject) => boolean {
  const roots = new Set(pids);
  const descendants = new Set<number>();
  const isMember = (pid: number): boolean => roots.has(pid) || descendants.has(pid);
  return ({ type, process: own, parent }) => {
    if (own === undefined) return false;
    const belongs = isMember(own.pid) || (parent !== undefined && isMember(parent.pid));
    if (!belongs) return false;
    // The kernel gives the number of an ended process to another one.
    if (type === eventTypes.PROCESS_EXIT) descendants.delete(own.pid);
    else if (!roots.has(own.pid)) {
      if (descendants.size >= maxDescendants) {
        for (const oldest of descendants) {
          descendants.delete(oldest);
          break;
        }
      }
      descendants.add(own.pid);
    }
    return true;
  };
}
