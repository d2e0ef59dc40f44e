// SPDX-License-Identifier: Apache-2.0

import type { HookEvent } from "@rthooks/machines/hook";

/** A queue of events with one waiting reader, for asynchronous AgentLinks. */
export interface LinkEvents {
  push(event: HookEvent): void;
  /** The next event, or undefined at `untilMs`. Only one call may wait at a time. */
  next(untilMs: number): Promise<HookEvent | undefined>;
  clear(): void;
}

export function createLinkEvents(nowMs: () => number): LinkEvents {
  const queue: HookEvent[] = [];
  let wake: (() => void) | undefined;
  return {
    push(event) {
      queue.push(event);
      wake?.();
    },
    async next(untilMs) {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, untilMs - nowMs()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      return queue.shift();
    },
    clear: () => {
      queue.length = 0;
    },
  };
}
