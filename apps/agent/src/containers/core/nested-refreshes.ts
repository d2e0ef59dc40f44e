// SPDX-License-Identifier: Apache-2.0
// When to refresh the nested cgroups of containers. A container can create and remove cgroups at any rate, so each has a
// budget for the refreshes that it causes, and all of them share one: the rest of the agent's time is for hook calls.

import type { Time } from "../../base/core/time.ts";
import { createWorkBudget, type WorkBudget } from "../../base/core/work-budget.ts";

export interface NestedRefreshes {
  /** Refreshes now if the budgets allow it, otherwise as soon as they do. */
  request(containerId: string): void;
  forget(containerId: string): void;
  close(): void;
}

export interface RefreshesOptions {
  /** One step of bounded work. True: there is more to do. */
  refresh(containerId: string): boolean;
  readonly time: Time;
}

const perContainer = { burstMs: 20, share: 0.02 } as const; // const: a fact of the design
const shared = { burstMs: 20, share: 0.2 } as const; // const: a fact of the design

export function createNestedRefreshes({ refresh, time: { now, after } }: RefreshesOptions): NestedRefreshes {
  const sharedBudget = createWorkBudget({ ...shared, now });
  const budgets = new Map<string, WorkBudget>();
  /** In the order of their requests. */
  const waiting = new Set<string>();
  let cancel: (() => void) | undefined;

  const budgetOf = (containerId: string): WorkBudget => {
    const known = budgets.get(containerId);
    if (known !== undefined) return known;
    const budget = createWorkBudget({ ...perContainer, now });
    budgets.set(containerId, budget);
    return budget;
  };

  const run = (containerId: string): void => {
    waiting.delete(containerId);
    const budget = budgetOf(containerId);
    const startedMs = now();
    const hasMore = refresh(containerId);
    const tookMs = now() - startedMs;
    budget.spend(tookMs);
    sharedBudget.spend(tookMs);
    if (hasMore) waiting.add(containerId);
  };

  /** Those with budget, until the shared budget is used up. */
  const runAll = (): void => {
    cancel = undefined;
    for (const containerId of [...waiting]) {
      if (sharedBudget.waitMs() > 0) break;
      if (waiting.has(containerId) && budgetOf(containerId).waitMs() === 0) run(containerId);
    }
    schedule();
  };

  const schedule = (): void => {
    if (waiting.size === 0 || cancel !== undefined) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const containerId of waiting) soonest = Math.min(soonest, budgetOf(containerId).waitMs());
    cancel = after(Math.max(1, soonest, sharedBudget.waitMs()), runAll);
  };

  return {
    request(containerId) {
      if (sharedBudget.waitMs() === 0 && budgetOf(containerId).waitMs() === 0) run(containerId);
      else waiting.add(containerId);
      schedule();
    },
    forget(containerId) {
      waiting.delete(containerId);
      budgets.delete(containerId);
    },
    close() {
      cancel?.();
      cancel = undefined;
      waiting.clear();
    },
  };
}
