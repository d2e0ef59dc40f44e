// SPDX-License-Identifier: Apache-2.0
// A share of the event loop for work that containers can cause without end.

import type { Time } from "./time.ts";

export interface WorkBudget {
  /** To be called after work, with the milliseconds that it took. */
  spend(ms: number): void;
  /** Milliseconds until the next piece of work may start; 0: now. */
  waitMs(): number;
}

export interface BudgetOptions {
  /** Milliseconds of work that may run at once after a pause. */
  readonly burstMs: number;
  /** Share of the elapsed time, between 0 and 1. */
  readonly share: number;
  readonly now: Time["now"];
}

/** A piece of work may exceed the budget; the next one then waits longer. */
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
