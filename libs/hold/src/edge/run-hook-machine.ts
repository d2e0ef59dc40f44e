// SPDX-License-Identifier: Apache-2.0
// Runs the hook machine: performs its effects and sends it events.

import {
  createHookInvocation,
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookInput,
  isHookEffect,
} from "@rthooks/machines/hook";
import type { InspectOptions } from "@rthooks/machines/inspection";
import type { MaybePromise } from "@rthooks/sys";

export interface HookDriver {
  /** Milliseconds since the process began: the deadline counts from there. */
  nowMs(): number;
  /** Performs the effect, and returns its event if it has one at once. */
  perform(effect: HookEffect, context: HookContext): MaybePromise<HookEvent | undefined>;
  /** The next event, or undefined at `untilMs`. */
  wait(untilMs: number): MaybePromise<HookEvent | undefined>;
}

/** Whether the container may start. */
export async function runHookMachine(
  input: HookInput,
  driver: HookDriver,
  inspection?: InspectOptions,
): Promise<boolean> {
  const hook = createHookInvocation(input, inspection);
  const effects: string[] = [];
  effects.push(...hook.start(0));
  for (;;) {
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (!isHookEffect(effect)) continue;
      const event = await driver.perform(effect, hook.context);
      if (event !== undefined) effects.push(...hook.send(event, driver.nowMs()));
    }
    if (hook.done) return hook.state !== "denied";
    const now = driver.nowMs();
    if (now >= hook.nextDelayAt) {
      effects.push(...hook.tick(now));
      continue;
    }
    const event = await driver.wait(hook.nextDelayAt);
    if (event !== undefined) effects.push(...hook.send(event, driver.nowMs()));
  }
}
