// SPDX-License-Identifier: Apache-2.0
// Exponential back-off. The hook machine has its own delays (libs/machines/src/hook/hook-logic.ts): a hook invocation
// loads only what it needs.

export interface BackOffRange {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** The pause after `attempts` failures in a row (from 1), in milliseconds. It doubles each time. */
export const toPauseMs = (attempts: number, { firstMs, longestMs }: BackOffRange): number =>
  Math.min(firstMs * 2 ** Math.max(0, attempts - 1), longestMs);

export interface BackOff {
  /** The next pause in milliseconds. */
  next(): number;
  /** Call it after a success: the next pause is the first one again. */
  reset(): void;
}

/**
 * `random` returns 0 to 1 and takes up to a half off each pause, so that nodes do not retry at the same time; without it
 * the pauses are those of `toPauseMs`.
 */
export function createBackOff(range: BackOffRange, random: () => number = () => 1): BackOff {
  let attempts = 0;
  return {
    next() {
      attempts++;
      const pauseMs = toPauseMs(attempts, range);
      return pauseMs / 2 + (random() * pauseMs) / 2;
    },
    reset() {
      attempts = 0;
    },
  };
}
