// SPDX-License-Identifier: Apache-2.0
// Every way through the hook machine, found by XState's own graph search.

import { initialTransition, transition } from "xstate";
import { getSimplePaths } from "xstate/graph";
import type { HookContext, HookEvent, HookInput } from "./hook-logic.ts";
import { hookMachine } from "./hook-machine.ts";

/** An event of the machine, or one that a delay raises. */
export type PathEvent = HookEvent | { readonly type: `xstate.after.${string}` };

export interface PathStep {
  readonly event: PathEvent | undefined;
  /** The innermost state, its context, and the effects that were asked for on the way into it. */
  readonly state: string;
  readonly context: HookContext;
  readonly effects: readonly string[];
  readonly done: boolean;
}

export const pathInput: HookInput = { deadlineMs: 10_000, patienceMs: 1_000, grpcDisabled: false };

const failure = { kind: "refused", reason: "no" } as const;

export const pathEvents: readonly PathEvent[] = [
  { type: "spec.loaded" },
  { type: "spec.failed", failure: { kind: "spec", reason: "no spec" } },
  { type: "agent.ready" },
  { type: "agent.lost" },
  { type: "agent.unreachable", failure: { kind: "unreachable", reason: "permission denied" } },
  { type: "answer.ok" },
  { type: "answer.failed", failure },
  { type: "check.allowed" },
  { type: "check.denied", denial: "failCheck determined that we should fail" },
  { type: "xstate.after.deadline.hook.active" },
  { type: "xstate.after.patience.hook.active.reaching" },
  { type: "xstate.after.backoff.hook.active.reaching.backingOff" },
];

/** The paths that visit no situation twice; what a count of attempts adds is no other situation. */
export function findHookPaths(input: HookInput): readonly (readonly PathEvent[])[] {
  const paths = getSimplePaths(hookMachine, {
    input,
    // A delay's event is XState's own and not among the machine's.
    events: [...pathEvents] as HookEvent[],
    serializeState: (snapshot) =>
      JSON.stringify([
        snapshot.value,
        snapshot.context.weighed,
        snapshot.context.failure,
        snapshot.context.phase,
      ]),
  });
  return paths.map((path) =>
    path.steps.map((step) => step.event).filter((event) => String(event.type) !== "xstate.init"),
  );
}

/** The steps of XState itself along a path; nothing is run. */
export function walkMachine(input: HookInput, events: readonly PathEvent[]): readonly PathStep[] {
  let [snapshot, actions] = initialTransition(hookMachine, input);
  const step = (event: PathEvent | undefined): PathStep => ({
    event,
    state: innermost(snapshot.value),
    context: snapshot.context,
    effects: actions.map((action) => action.type).filter((type) => !type.startsWith("xstate.")),
    done: snapshot.status === "done",
  });
  const steps = [step(undefined)];
  for (const event of events) {
    [snapshot, actions] = transition(hookMachine, snapshot, event as HookEvent);
    steps.push(step(event));
  }
  return steps;
}

function innermost(value: unknown): string {
  if (typeof value === "string") return value;
  const [[key, inner] = ["", ""]] = Object.entries(value ?? {});
  return inner === undefined || (Object.keys(inner as object).length === 0 && typeof inner !== "string")
    ? key
    : innermost(inner);
}
