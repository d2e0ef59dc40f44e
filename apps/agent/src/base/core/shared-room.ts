// SPDX-License-Identifier: Apache-2.0
// Room that queues have in common. Each has some of its own, which no other can take.

/** What one queue uses. */
export interface QueueRoom {
  /** False: it does not fit, and nothing changes. Less than before always fits. */
  change(from: number, to: number): boolean;
}

export interface RoomLimits {
  /** Of each queue. */
  readonly own: number;
  readonly most: number;
  /** Of all queues together, beside what each has of its own. */
  readonly shared: number;
}

/** Of one queue alone. */
export const createRoom = (capacity: number): QueueRoom => ({ change: (_, to) => to <= capacity });

export function createSharedRoom({ own, most, shared }: RoomLimits): QueueRoom {
  let lent = 0;
  const beyond = (used: number): number => Math.max(0, used - own);
  return {
    change(from, to) {
      const more = beyond(to) - beyond(from);
      if (to > from && (to > most || lent + more > shared)) return false;
      lent += more;
      return true;
    },
  };
}
