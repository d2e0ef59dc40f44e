// SPDX-License-Identifier: Apache-2.0
// Runs the container machine as an actor. XState's own algorithm serves every statechart there is, and takes a
// quarter of the time that the agent has for a new container. The actor is XState's, with its mailbox, clock and
// inspection; only the step from one state to the next is ours, from a table that is read from the machine. The
// tests walk every path of the machine in both ways.

import type { ActorLogic, Snapshot } from "xstate";
import {
  type ContainerContext,
  type ContainerEvent,
  type ContainerInput,
  toContainerContext,
} from "./container-logic.ts";
import type { containerMachine } from "./container-machine.ts";
import {
  type ContainerState,
  type EffectArgs,
  readContainerTable,
  type Step,
  type TableState,
} from "./container-table.ts";

export type ContainerSnapshot = Snapshot<undefined> & {
  readonly value: ContainerState;
  readonly context: ContainerContext;
};

export type ContainerLogic = ActorLogic<ContainerSnapshot, ContainerEvent, ContainerInput>;

type Scope = Parameters<ContainerLogic["transition"]>[2];

/** The machine with its effects and delays provided, as the logic of an actor. */
export function createContainerLogic(machine: typeof containerMachine): ContainerLogic {
  const table = readContainerTable(machine);

  const perform = (
    actions: Step["actions"],
    before: ContainerContext,
    event: ContainerEvent,
    scope: Scope,
  ): ContainerContext => {
    let context = before;
    for (const action of actions) {
      if (action.reduce !== undefined) context = { ...context, ...action.reduce(context, event) };
      else {
        const { type, exec } = action;
        scope.actionExecutor({ type, info: toArgs(context, event, scope), params: undefined, exec });
      }
    }
    return context;
  };

  const take = (
    { actions, target }: Step,
    before: ContainerSnapshot,
    event: ContainerEvent,
    scope: Scope,
  ): ContainerSnapshot => {
    if (target !== undefined) stopTimers(table[before.value], scope);
    const context = perform(actions, before.context, event, scope);
    return target === undefined
      ? settle(before.value, context, event, scope)
      : enter(target, context, event, scope);
  };

  const enter = (value: ContainerState, before: ContainerContext, event: ContainerEvent, scope: Scope) => {
    const context = perform(table[value].entry, before, event, scope);
    startTimers(table[value], context, event, scope);
    return settle(value, context, event, scope);
  };

  const settle = (
    value: ContainerState,
    context: ContainerContext,
    event: ContainerEvent,
    scope: Scope,
  ): ContainerSnapshot => {
    const step = findStep(table[value].always, context, event);
    const snapshot = { status: "active", output: undefined, error: undefined, value, context } as const; // const: the status
    return step === undefined ? snapshot : take(step, snapshot, event, scope);
  };

  return {
    // What an inspector draws.
    config: machine.config,
    getInitialSnapshot: (scope, input) => enter("seen", toContainerContext(input), firstEvent, scope),
    transition: (snapshot, event, scope) => {
      // XState's own events are not among those that the machine's type names.
      const type: string = event.type;
      if (type === "xstate.stop")
        return { ...snapshot, status: "stopped", output: undefined, error: undefined };
      const { on, onOther } = table[snapshot.value];
      const step = findStep(on.get(type) ?? onOther, snapshot.context, event);
      return step === undefined ? snapshot : take(step, snapshot, event, scope);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

// XState's own, which the machine's type does not name.
const firstEvent = { type: "xstate.init" } as unknown as ContainerEvent;

function findStep(
  steps: readonly Step[],
  context: ContainerContext,
  event: ContainerEvent,
): Step | undefined {
  for (const step of steps) if (step.guard(context, event)) return step;
  return undefined;
}

// Timers are set when the snapshot is the actor's, as XState does it.

function startTimers(
  { timers }: TableState,
  context: ContainerContext,
  event: ContainerEvent,
  scope: Scope,
): void {
  const { self, system, defer } = scope;
  for (const { type, findDelayMs } of timers) {
    const delayMs = findDelayMs(toArgs(context, event, scope));
    defer(() => system.scheduler.schedule(self, self, { type }, delayMs, type));
  }
}

function stopTimers({ timers }: TableState, { self, system, defer }: Scope): void {
  for (const { type } of timers) defer(() => system.scheduler.cancel(self, type));
}

/** What the machine's effects are called with; of the actor they may use what every actor has. */
function toArgs(context: ContainerContext, event: ContainerEvent, { self, system }: Scope): EffectArgs {
  return { context, event, self: self as unknown as EffectArgs["self"], system };
}
