// SPDX-License-Identifier: Apache-2.0

/** Exponential back-off with jitter, so that nodes do not retry at the same time. */
export interface BackOff {
  /** The next pause in milliseconds. */
  next(): number;
}

const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/** `random` returns 0 to 1. */
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
