// SPDX-License-Identifier: Apache-2.0
// Runs the hook machine: performs what it asks for and brings it what happens.

import {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookInput,
  isHookEffect,
  runHook,
} from "@rthooks/machines/hook";
import type { MaybePromise } from "@rthooks/sys";

export interface HookDriver {
  /** Milliseconds since the process began: the deadline counts from there. */
  nowMs(): number;
  /** Does it, and returns the event that comes of it at once, if one does. */
  perform(effect: HookEffect, context: HookContext): MaybePromise<HookEvent | undefined>;
  /** The next event, or nothing by `untilMs`. */
  wait(untilMs: number): MaybePromise<HookEvent | undefined>;
}

/** Whether the container may start. */
export async function runHookMachine(input: HookInput, driver: HookDriver): Promise<boolean> {
  const effects: string[] = [];
  const run = runHook(input, (first) => effects.push(...first), 0);
  for (;;) {
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (!isHookEffect(effect)) continue;
      const event = await driver.perform(effect, run.context);
      if (event !== undefined) effects.push(...run.send(event, driver.nowMs()));
    }
    if (run.done) return run.state !== "denied";
    const now = driver.nowMs();
    if (now >= run.nextTimerAt) {
      effects.push(...run.tick(now));
      continue;
    }
    const event = await driver.wait(run.nextTimerAt);
    if (event !== undefined) effects.push(...run.send(event, driver.nowMs()));
  }
}
