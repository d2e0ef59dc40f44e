// SPDX-License-Identifier: Apache-2.0
// What a client has not read yet, up to a number of items. Beyond it, items are counted and not kept.

export type Queued<T> = { readonly item: T } | { readonly missed: number };

export interface BoundedQueue<T> {
  push(item: T): void;
  /** In the order of `push`. Items that were not kept follow those before them as one number. */
  take(): Queued<T> | undefined;
}

export function createBoundedQueue<T>(capacity: number): BoundedQueue<T> {
  let items: T[] = [];
  let first = 0;
  let missed = 0;
  return {
    push(item) {
      // After the first item that was missed, others are missed too, until the client has read what is kept.
      if (missed > 0 || items.length - first >= capacity) missed++;
      else items.push(item);
    },
    take() {
      const item = items[first];
      if (item !== undefined) {
        first++;
        return { item };
      }
      items = [];
      first = 0;
      if (missed === 0) return undefined;
      const count = missed;
      missed = 0;
      return { missed: count };
    },
  };
}
