// SPDX-License-Identifier: Apache-2.0
// Runs a flat machine as an actor. XState's own algorithm serves every statechart there is; it took a quarter of the time
// that the agent has for a new container, and made 20 KB of garbage for each pod. The actor is XState's, with its mailbox,
// clock and inspection; only the step from one state to the next is ours, from a table that is read from the machine. The
// tests walk every path of the machines in both ways.

import {
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyStateMachine,
  type ContextFrom,
  createActor,
  type EventFromLogic,
  type InputFrom,
  type MachineContext,
  type Snapshot,
  type SnapshotFrom,
} from "xstate";
import {
  type EffectArgs,
  type Implementation,
  readActorTable,
  type TableAction,
  type TableState,
  type TableStep,
} from "./actor-table.ts";

export type TableSnapshot<TMachine extends AnyStateMachine> = Snapshot<undefined> & {
  readonly value: SnapshotFrom<TMachine>["value"];
  readonly context: ContextFrom<TMachine>;
  /** By the ids of their actors, for an inspector. */
  readonly children: Children;
};

export type TableLogic<TMachine extends AnyStateMachine> = ActorLogic<
  TableSnapshot<TMachine>,
  EventFromLogic<TMachine>,
  InputFrom<TMachine>
>;

/** A map: each id as a name of an object's own would make a shape of its own. */
type Children = ReadonlyMap<string, AnyActorRef>;

/** The same of any machine: here its types are the table's. */
type AnySnapshot = Snapshot<undefined> & {
  readonly value: string;
  readonly context: MachineContext;
  readonly children: Children;
};
type AnyLogic = ActorLogic<AnySnapshot, AnyEventObject, unknown>;
type Scope = Parameters<AnyLogic["transition"]>[2];

/** What is changed while actions run one after the other. */
interface Run {
  readonly scope: Scope;
  readonly event: AnyEventObject;
  context: MachineContext;
  children: Children;
}

/** The machine with its effects, delays and actors provided, as the logic of an actor. */
export function createTableLogic<TMachine extends AnyStateMachine>(machine: TMachine): TableLogic<TMachine> {
  const table = readActorTable(machine);
  const { actors } = machine.implementations;

  const stateOf = (name: string): TableState => {
    const state = table.states.get(name);
    if (state === undefined) throw new Error(`${machine.id} has no state ${name}`);
    return state;
  };

  const spawn =
    (run: Run) =>
    (src: string, { id, input }: { readonly id: string; readonly input: unknown }): AnyActorRef => {
      // The machine's own types say which actors there are and what they take.
      const child = createActor(actors[src] as AnyActorLogic, { id, parent: run.scope.self, input });
      run.children = new Map(run.children).set(id, child);
      run.scope.defer(() => void child.start());
      return child;
    };

  const stopChild = (run: Run, id: string): void => {
    const child = run.children.get(id);
    if (child === undefined) return;
    const others = new Map(run.children);
    others.delete(id);
    run.children = others;
    run.scope.defer(() => run.scope.stopChild(child));
  };

  const perform = (run: Run, { implementation, type, params }: TableAction): void => {
    const args = toArgs(run);
    const given = typeof params === "function" ? params(args) : params;
    switch (implementation.kind) {
      case "effect":
        run.scope.actionExecutor({ type, info: args, params: given, exec: implementation.exec });
        return;
      case "assign":
        run.context = { ...run.context, ...implementation.assign({ ...args, spawn: spawn(run) }, given) };
        return;
      case "enqueue":
        for (const step of collect(run, implementation, given)) step();
    }
  };

  /** What was asked for is done when all of it has been asked for, as XState does it. */
  const collect = (
    run: Run,
    asked: Extract<Implementation, { kind: "enqueue" }>,
    params: unknown,
  ): readonly (() => void)[] => {
    const steps: (() => void)[] = [];
    const enqueue = Object.assign((name: string) => steps.push(() => perform(run, table.action(name))), {
      assign: (change: Partial<MachineContext>) =>
        steps.push(() => {
          run.context = { ...run.context, ...change };
        }),
      sendTo: (child: AnyActorRef, event: AnyEventObject) =>
        steps.push(() => run.scope.defer(() => child.send(event))),
      stopChild: (id: string) => steps.push(() => stopChild(run, id)),
    });
    asked.collect({ ...toArgs(run), enqueue }, params);
    return steps;
  };

  const take = (run: Run, from: string, { actions, target }: TableStep): AnySnapshot => {
    if (target !== undefined) stopTimers(stateOf(from), run.scope);
    for (const action of actions) perform(run, action);
    return target === undefined ? settle(run, from) : enter(run, target);
  };

  const enter = (run: Run, value: string): AnySnapshot => {
    const state = stateOf(value);
    for (const action of state.entry) perform(run, action);
    startTimers(state, run);
    return settle(run, value);
  };

  const settle = (run: Run, value: string): AnySnapshot => {
    const { always, isFinal } = stateOf(value);
    const step = findStep(always, run);
    if (step !== undefined) return take(run, value, step);
    const { context, children } = run;
    return {
      status: isFinal ? "done" : "active",
      output: undefined,
      error: undefined,
      value,
      context,
      children,
    };
  };

  const logic: AnyLogic = {
    // What an inspector draws.
    config: machine.config,
    getInitialSnapshot: (scope, input) =>
      enter(
        { scope, event: firstEvent, context: table.toContext(input), children: noChildren },
        table.initial,
      ),
    transition: (snapshot, event, scope) => {
      const { value, context, children } = snapshot;
      if (event.type === "xstate.stop") {
        for (const child of children.values()) scope.stopChild(child);
        return { ...snapshot, status: "stopped", output: undefined, error: undefined, children: noChildren };
      }
      const { on, onOther } = stateOf(value);
      const run = { scope, event, context, children };
      const step = findStep(on.get(event.type) ?? onOther, run);
      return step === undefined ? snapshot : take(run, value, step);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
  // The table was read from the machine, so its states, context and events are the machine's.
  return logic as unknown as TableLogic<TMachine>;
}

const noChildren: Children = new Map();
const firstEvent: AnyEventObject = { type: "xstate.init" };

function findStep(steps: readonly TableStep[], run: Run): TableStep | undefined {
  for (const step of steps) if (step.guard(run)) return step;
  return undefined;
}

// Timers are set when the snapshot is the actor's, as XState does it.

function startTimers({ timers }: TableState, run: Run): void {
  const { self, system, defer } = run.scope;
  for (const { type, findDelayMs } of timers) {
    const delayMs = findDelayMs(toArgs(run));
    defer(() => system.scheduler.schedule(self, self, { type }, delayMs, type));
  }
}

function stopTimers({ timers }: TableState, { self, system, defer }: Scope): void {
  for (const { type } of timers) defer(() => system.scheduler.cancel(self, type));
}

/** What the machine's effects are called with; of the actor they may use what every actor has. */
const toArgs = ({ context, event, scope: { self, system } }: Run): EffectArgs => ({
  context,
  event,
  self: self as unknown as EffectArgs["self"],
  system,
});
