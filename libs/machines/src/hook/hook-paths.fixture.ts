// SPDX-License-Identifier: Apache-2.0
// Every way through the hook machine, found by XState's own graph search.

import { type AnyStateMachine, initialTransition, type StateValue, transition } from "xstate";
import { getSimplePaths } from "xstate/graph";
import type { InternalEvent } from "../table/machine-table.ts";
import type { HookContext, HookEvent, HookInput } from "./hook-logic.ts";
import { hookMachine } from "./hook-machine.ts";

/** An event of the machine, or one that a delay raises. */
export type PathEvent = HookEvent | InternalEvent;

export interface PathStep {
  readonly event: PathEvent | undefined;
  /** The innermost state, its context, and the effects that were asked for on the way into it. */
  readonly state: string;
  readonly context: HookContext;
  readonly effects: readonly string[];
  readonly done: boolean;
}

export const pathInput: HookInput = { deadlineMs: 10_000, allowedTimeoutMs: 1_000, grpcDisabled: false };

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
  { type: "xstate.after.allowedTimeout.hook.active.reaching" },
  { type: "xstate.after.backoff.hook.active.reaching.backingOff" },
];

/** With the types of any machine: the end of a delay is an event of XState's, which the hook's own types do not name. */
const machine: AnyStateMachine = hookMachine;

/** The paths that visit no situation twice. The count of attempts makes no difference between situations. */
export function findHookPaths(input: HookInput): readonly (readonly PathEvent[])[] {
  const paths = getSimplePaths(machine, {
    input,
    events: [...pathEvents],
    serializeState: (snapshot) =>
      JSON.stringify([
        snapshot.value,
        snapshot.context.checkedEarly,
        snapshot.context.failure,
        snapshot.context.phase,
      ]),
  });
  return paths.map((path) =>
    path.steps.map((step): PathEvent => step.event).filter((event) => event.type !== "xstate.init"),
  );
}

/** The steps of XState itself along a path. No effect is performed. */
export function walkMachine(input: HookInput, events: readonly PathEvent[]): readonly PathStep[] {
  let [snapshot, actions] = initialTransition(machine, input);
  const step = (event: PathEvent | undefined): PathStep => ({
    event,
    state: innermost(snapshot.value),
    context: snapshot.context,
    effects: actions.map((action) => action.type).filter((type) => !type.startsWith("xstate.")),
    done: snapshot.status === "done",
  });
  const steps = [step(undefined)];
  for (const event of events) {
    [snapshot, actions] = transition(machine, snapshot, event);
    steps.push(step(event));
  }
  return steps;
}

function innermost(value: StateValue | undefined): string {
  if (typeof value !== "object") return value ?? "";
  return innermost(Object.values(value)[0]);
}
