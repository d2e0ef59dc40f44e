// SPDX-License-Identifier: Apache-2.0
// What a client has not read yet, up to a capacity. Beyond it, items are counted and not kept.

import { createRoom, type QueueRoom } from "./shared-room.ts";

export type Queued<T> = { readonly item: T } | { readonly missed: number };

export interface BoundedQueue<T> {
  /** False: the item is not kept. */
  push(item: T): boolean;
  /** In the order of `push`. Items that were not kept follow those before them as one number. */
  take(): Queued<T> | undefined;
  /** Forgets all. */
  clear(): void;
}

/** `room`: its capacity, or the room that it has with others. `weigh`: what an item takes of it. */
export function createBoundedQueue<T>(
  room: number | QueueRoom,
  weigh: (item: T) => number = () => 1,
): BoundedQueue<T> {
  const { change } = typeof room === "number" ? createRoom(room) : room;
  let items: T[] = [];
  let first = 0;
  let used = 0;
  let missed = 0;
  const use = (now: number): boolean => {
    const fits = change(used, now);
    if (fits) used = now;
    return fits;
  };
  return {
    push(item) {
      // After the first item that was missed, others are missed too, until the client has read what is kept.
      if (missed > 0 || !use(used + weigh(item))) {
        missed++;
        return false;
      }
      items.push(item);
      return true;
    },
    take() {
      const item = items[first];
      if (item !== undefined) {
        first++;
        use(used - weigh(item));
        // A queue that is never empty must not keep what was taken.
        if (first >= 1024 && first * 2 >= items.length) {
          items = items.slice(first);
          first = 0;
        }
        return { item };
      }
      items = [];
      first = 0;
      if (missed === 0) return undefined;
      const count = missed;
      missed = 0;
      return { missed: count };
    },
    clear() {
      items = [];
      [first, missed] = [0, 0];
      use(0);
    },
  };
}
