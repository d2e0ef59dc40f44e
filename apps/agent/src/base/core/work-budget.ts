// SPDX-License-Identifier: Apache-2.0
// A share of the event loop: work that others can cause without end gets a part of the time and no more.

import type { Time } from "./time.ts";

export interface WorkBudget {
  /** After work that took so many milliseconds. */
  spend(ms: number): void;
  /** Milliseconds until there is something to spend; 0 where there is. */
  waitMs(): number;
}

export interface BudgetOptions {
  /** What may be spent in one go after a rest. */
  readonly burstMs: number;
  /** Of the time that passes, between 0 and 1. */
  readonly share: number;
  readonly now: Time["now"];
}

/** What a single piece of work takes beyond the budget is waited for afterwards. */
export function createWorkBudget({ burstMs, share, now }: BudgetOptions): WorkBudget {
  let left = burstMs;
  let at = now();
  const refill = (): void => {
    const time = now();
    left = Math.min(burstMs, left + (time - at) * share);
    at = time;
  };
  return {
    spend(ms) {
      refill();
      left -= ms;
    },
    waitMs() {
      refill();
      return left > 0 ? 0 : Math.max(1, Math.ceil(-left / share));
    },
  };
}
