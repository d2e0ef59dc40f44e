// SPDX-License-Identifier: Apache-2.0
// When to look at the cgroups below containers. A container can make and remove cgroups without end, so each has a budget
// for the looks that it causes, and all of them together have one: the rest of the agent's time is for hook calls.

import type { Time } from "../../base/core/time.ts";
import { createWorkBudget, type WorkBudget } from "../../base/core/work-budget.ts";

export interface NestedLooks {
  /** Looks at once if there is time for it, otherwise as soon as there is. */
  ask(containerId: string): void;
  forget(containerId: string): void;
  close(): void;
}

export interface LooksOptions {
  /** One look, of bounded work. True: there is more to do. */
  look(containerId: string): boolean;
  readonly time: Time;
}

const perContainer = { burstMs: 20, share: 0.02 } as const; // const: a fact of the design
const ofAll = { burstMs: 20, share: 0.2 } as const; // const: a fact of the design

export function createNestedLooks({ look, time: { now, after } }: LooksOptions): NestedLooks {
  const common = createWorkBudget({ ...ofAll, now });
  const budgets = new Map<string, WorkBudget>();
  /** In the order of asking, which is that of their turns. */
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
    const began = now();
    const hasMore = look(containerId);
    const tookMs = now() - began;
    budget.spend(tookMs);
    common.spend(tookMs);
    if (hasMore) waiting.add(containerId);
  };

  /** Those whose turn it is, until the common budget is used up. */
  const runAll = (): void => {
    cancel = undefined;
    for (const containerId of [...waiting]) {
      if (common.waitMs() > 0) break;
      if (waiting.has(containerId) && budgetOf(containerId).waitMs() === 0) run(containerId);
    }
    schedule();
  };

  const schedule = (): void => {
    if (waiting.size === 0 || cancel !== undefined) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const containerId of waiting) soonest = Math.min(soonest, budgetOf(containerId).waitMs());
    cancel = after(Math.max(1, soonest, common.waitMs()), runAll);
  };

  return {
    ask(containerId) {
      if (common.waitMs() === 0 && budgetOf(containerId).waitMs() === 0) run(containerId);
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
