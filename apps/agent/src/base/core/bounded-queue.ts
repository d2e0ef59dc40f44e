// SPDX-License-Identifier: Apache-2.0
// What a client has not read yet, up to a capacity. Beyond it, items are counted and not kept.

export type Queued<T> = { readonly item: T } | { readonly missed: number };

export interface BoundedQueue<T> {
  /** False: the item is not kept. */
  push(item: T): boolean;
  /** In the order of `push`. Items that were not kept follow those before them as one number. */
  take(): Queued<T> | undefined;
}

/** `weigh`: what an item takes of the capacity. */
export function createBoundedQueue<T>(
  capacity: number,
  weigh: (item: T) => number = () => 1,
): BoundedQueue<T> {
  let items: T[] = [];
  let first = 0;
  let used = 0;
  let missed = 0;
  return {
    push(item) {
      // After the first item that was missed, others are missed too, until the client has read what is kept.
      if (missed > 0 || used + weigh(item) > capacity) {
        missed++;
        return false;
      }
      used += weigh(item);
      items.push(item);
      return true;
    },
    take() {
      const item = items[first];
      if (item !== undefined) {
        first++;
        used -= weigh(item);
        // A queue that is never empty must not keep what was taken.
        if (first >= 1024 && first * 2 >= items.length) {
          items = items.slice(first);
          first = 0;
        }
        return { item };
      }
      items = [];
      first = 0;
      used = 0;
      if (missed === 0) return undefined;
      const count = missed;
      missed = 0;
      return { missed: count };
    },
  };
}
