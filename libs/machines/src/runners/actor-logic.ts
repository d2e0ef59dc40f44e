// SPDX-License-Identifier: Apache-2.0
// Runs a machine table as an XState actor. The actor is XState's, with its mailbox, clock and inspection; only the step
// from one state to the next is ours. XState's own algorithm serves every statechart there is: it took a quarter of the
// time that the agent has for a new container, and made 20 KB of garbage for each pod. The tests walk every path of the
// machines in both ways.

import {
  type ActorLogic,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
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
import { readMachineTable } from "../table/read-machine-table.ts";
import { type ActorAction, readImplementations } from "./actor-implementations.ts";
import { type BoundState, type BoundTransition, bindTable } from "./bound-table.ts";
import { createActionQueue, type EnqueuedAction } from "./enqueued-actions.ts";

export type TableSnapshot<TMachine extends AnyStateMachine> = Snapshot<undefined> & {
  /** The leaf state. */
  readonly state: string;
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

/** A map: with ids as property names every object would have a shape of its own. */
type Children = ReadonlyMap<string, AnyActorRef>;

/** One step of one actor: what changes while actions run one after the other. */
interface Step {
  readonly scope: AnyActorScope;
  readonly event: AnyEventObject;
  context: MachineContext;
  children: Children;
}

/**
 * The machine, with its effects, delays and actors provided, as the logic of an actor. Throws on a machine that a table
 * cannot express, and on names without an implementation.
 */
export function createTableLogic<TMachine extends AnyStateMachine>(machine: TMachine): TableLogic<TMachine> {
  const implementations = readImplementations(machine);
  const { actions, actors } = implementations;
  const table = bindTable(machine, readMachineTable(machine), implementations);
  const queue = createActionQueue();

  const find = <T>(found: T | undefined, what: string, name: string): T => {
    if (found === undefined) throw new Error(`${machine.id} has no ${what} ${name}`);
    return found;
  };

  const spawn =
    (step: Step) =>
    (src: string, { id, input }: { readonly id: string; readonly input: unknown }): AnyActorRef => {
      const logic = find(actors.get(src), "actor", src);
      const child = createActor(logic, { id, parent: step.scope.self, input });
      step.children = new Map(step.children).set(id, child);
      step.scope.defer(() => void child.start());
      return child;
    };

  const stopChild = (step: Step, id: string): void => {
    const child = step.children.get(id);
    if (child === undefined) return;
    const others = new Map(step.children);
    others.delete(id);
    step.children = others;
    step.scope.defer(() => step.scope.stopChild(child));
  };

  const perform = (step: Step, type: string, does: ActorAction): void => {
    const args = toArgs(step);
    switch (does.kind) {
      case "effect":
        step.scope.actionExecutor({ type, info: args, params: undefined, exec: does.exec });
        return;
      case "assign":
        step.context = { ...step.context, ...does.assign({ ...args, spawn: spawn(step) }) };
        return;
      case "enqueue":
        does.collect({ ...args, enqueue: queue.begin() });
        for (const enqueued of queue.end()) performEnqueued(step, enqueued);
    }
  };

  const performEnqueued = (step: Step, enqueued: EnqueuedAction): void => {
    switch (enqueued.kind) {
      case "action":
        perform(step, enqueued.type, find(actions.get(enqueued.type), "action", enqueued.type));
        break;
      case "assign":
        step.context = { ...step.context, ...enqueued.change };
        break;
      case "send":
        step.scope.defer(() => enqueued.to.send(enqueued.event));
        break;
      case "stop":
        stopChild(step, enqueued.id);
    }
  };

  const logic = {
    // What an inspector draws.
    config: machine.config,
    getInitialSnapshot(scope: AnyActorScope, input: unknown) {
      const context = createContext(machine, scope, input);
      return take({ scope, event: firstEvent, context, children: noChildren }, undefined, table.initial);
    },
    transition(snapshot: AnySnapshot, event: AnyEventObject, scope: AnyActorScope): AnySnapshot {
      const { state: name, context, children } = snapshot;
      if (event.type === "xstate.stop") {
        for (const child of children.values()) scope.stopChild(child);
        return { ...snapshot, status: "stopped", output: undefined, error: undefined, children: noChildren };
      }
      const state = find(table.states.get(name), "state", name);
      const step = { scope, event, context, children };
      const transition = choose(state.on.get(event.type) ?? state.onAny, step);
      if (transition === undefined) return snapshot;
      return take(step, state, transition);
    },
    getPersistedSnapshot: (snapshot: AnySnapshot) => snapshot,
  } satisfies AnyActorLogic;

  /** Takes the transition and the eventless ones that follow it. */
  const take = (step: Step, from: BoundState | undefined, first: BoundTransition): AnySnapshot => {
    let state = from;
    let transition = first;
    for (;;) {
      if (state !== undefined) cancelDelays(state, transition.keeps, step);
      for (const { type, does } of transition.actions) perform(step, type, does);
      state = transition.target;
      startDelays(state, transition.keeps, step);
      const next = choose(state.always, step);
      if (next === undefined) return toSnapshot(state, step);
      transition = next;
    }
  };

  return logic;
}

function choose(transitions: readonly BoundTransition[], step: Step): BoundTransition | undefined {
  for (const transition of transitions)
    if (transition.guard === undefined || transition.guard(step)) return transition;
  return undefined;
}

// Delays start and end when the snapshot is the actor's, as in XState.

function startDelays({ after }: BoundState, kept: readonly string[], step: Step): void {
  for (const { event: type, delay } of after) {
    if (kept.includes(type)) continue;
    const { self, system, defer } = step.scope;
    const delayMs = delay(step);
    defer(() => system.scheduler.schedule(self, self, { type }, delayMs, type));
  }
}

function cancelDelays({ after }: BoundState, kept: readonly string[], { scope }: Step): void {
  for (const { event } of after) {
    if (!kept.includes(event)) scope.defer(() => scope.system.scheduler.cancel(scope.self, event));
  }
}

/** The same of any machine: here its types are the table's. */
type AnySnapshot = TableSnapshot<AnyStateMachine>;

const noChildren: Children = new Map();
const firstEvent: AnyEventObject = { type: "xstate.init" };

function toSnapshot({ name, value, final }: BoundState, { context, children }: Step): AnySnapshot {
  const status = final ? "done" : "active";
  return { status, output: undefined, error: undefined, state: name, value, context, children };
}

/** The machines' contexts are made of the input alone. */
function createContext(machine: AnyStateMachine, { self }: AnyActorScope, input: unknown): MachineContext {
  const { context } = machine.config;
  if (typeof context !== "function") return context ?? {};
  return context({
    input,
    self,
    spawn() {
      throw new Error(`${machine.id}: the table logic cannot spawn actors in the initial context`);
    },
  });
}

/** What the machine's functions are called with. */
const toArgs = ({ context, event, scope: { self, system } }: Step) => ({ context, event, self, system });
