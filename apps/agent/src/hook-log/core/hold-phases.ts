// SPDX-License-Identifier: Apache-2.0
// What a hook spent its time on, from the steps of its machine.

import type { HoldPhase } from "@rthooks/explain";

/** By the state in which the time passes. */
const tasks: ReadonlyMap<string, string> = new Map([
  ["active.loading", "read the spec"],
  ["active.reaching.connecting", "connect to the agent"],
  ["active.reaching.backingOff", "connect to the agent"],
  ["active.requesting", "wait for the agent's answer"],
  ["active.checkingEarly", "run the fail check"],
  ["failCheck", "run the fail check"],
]);

/** In the order of their start, without gaps. Times are Unix time in milliseconds; the steps are ordered. */
export function toPhases(
  by: "hook" | "nri",
  startedMs: number,
  steps: readonly { readonly atMs: number; readonly state: string }[],
): readonly HoldPhase[] {
  const where = by === "nri" ? "plugin" : "hook";
  const phases: HoldPhase[] = [];
  const add = (what: string, fromMs: number, untilMs: number): void => {
    const before = phases.at(-1);
    if (before?.what === what) phases.pop();
    const begunMs = before?.what === what ? before.startedMs : fromMs;
    phases.push({ where, what, startedMs: begunMs, durationMs: untilMs - begunMs });
  };
  const [first] = steps;
  if (first !== undefined) add("start", startedMs, first.atMs);
  for (const [index, { atMs, state }] of steps.entries()) {
    const next = steps[index + 1];
    if (next !== undefined) add(tasks.get(state) ?? state, atMs, next.atMs);
  }
  return phases;
}
