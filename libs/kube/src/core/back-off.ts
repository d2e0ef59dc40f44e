// SPDX-License-Identifier: Apache-2.0

/** How long to wait before the next try: longer each time, and at random, so that nodes do not ask in step. */
export interface BackOff {
  /** Milliseconds. */
  next(): number;
}

const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/** `random` gives 0 to 1. */
export function createBackOff(random: () => number, longestMs = LONGEST_MS): BackOff {
  let limit = FIRST_MS;
  return {
    next() {
      const pause = limit / 2 + (random() * limit) / 2;
      limit = Math.min(limit * 2, longestMs);
      return pause;
    },
  };
}
