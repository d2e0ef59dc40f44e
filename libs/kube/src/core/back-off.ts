// SPDX-License-Identifier: Apache-2.0

/** How long to wait before the next try: longer each time, and never in step with ten thousand other nodes. */
export interface BackOff {
  next(): number;
  /** All is well again. */
  reset(): void;
}

const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/** `random` gives 0 to 1. */
export function createBackOff(random: () => number): BackOff {
  let limit = FIRST_MS;
  return {
    next() {
      const pause = limit / 2 + (random() * limit) / 2;
      limit = Math.min(limit * 2, LONGEST_MS);
      return pause;
    },
    reset: () => {
      limit = FIRST_MS;
    },
  };
}
