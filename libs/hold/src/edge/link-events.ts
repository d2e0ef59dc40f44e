// SPDX-License-Identifier: Apache-2.0

import type { HookEvent } from "@rthooks/machines/hook";

/** What has happened on the way to the agent, for one who waits for it: the asynchronous half of an AgentLink. */
export interface LinkEvents {
  push(event: HookEvent): void;
  /** The next one, or nothing by `untilMs`. One waits at a time. */
  next(untilMs: number): Promise<HookEvent | undefined>;
  clear(): void;
}

export function createLinkEvents(nowMs: () => number): LinkEvents {
  const happened: HookEvent[] = [];
  let wake: (() => void) | undefined;
  return {
    push(event) {
      happened.push(event);
      wake?.();
    },
    async next(untilMs) {
      if (happened.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, untilMs - nowMs()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      return happened.shift();
    },
    clear: () => {
      happened.length = 0;
    },
  };
}
