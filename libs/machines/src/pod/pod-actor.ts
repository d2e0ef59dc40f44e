// SPDX-License-Identifier: Apache-2.0
// Runs the pod machine as an actor, from a table that is read from the machine, for the reason for which the container's
// does (container-actor.ts): XState's own algorithm serves every statechart there is, and makes 20 KB of garbage for each
// pod. The actor, its mailbox and its inspection are XState's. The tests walk every path of the machine in both ways.

import {
  type ActorLogic,
  type AnyActorRef,
  createActor,
  type ExecutableActionObject,
  type Snapshot,
  type SnapshotFrom,
} from "xstate";
import type { PodContext, PodEvent, PodInput, podMachine } from "./pod-machine.ts";
import { type PodAction, type PodStep, readPodTable } from "./pod-table.ts";

export type PodState = SnapshotFrom<typeof podMachine>["value"];

type PodSnapshot = Snapshot<undefined> & {
  readonly value: PodState;
  readonly context: PodContext;
  /** By the ids of their actors, for an inspector. */
  readonly children: Readonly<Record<string, AnyActorRef>>;
};

export type PodLogic = ActorLogic<PodSnapshot, PodEvent, PodInput>;

type Scope = Parameters<PodLogic["transition"]>[2];

/** What is changed while actions run one after the other. */
interface Run {
  readonly scope: Scope;
  readonly event: PodEvent;
  context: PodContext;
  children: Readonly<Record<string, AnyActorRef>>;
}

/** The machine with its effects and its container's logic provided, as the logic of an actor. */
export function createPodLogic(machine: typeof podMachine): PodLogic {
  const table = readPodTable(machine);
  const { container } = machine.implementations.actors;
  if (container === undefined || !("transition" in container))
    throw new Error("the pod has no container logic");

  const spawn =
    (run: Run) =>
    (_src: string, { id, input }: { readonly id: string; readonly input: unknown }): AnyActorRef => {
      // XState types a child's input by its machine's declaration; the machine has checked it.
      const child = createActor(container, { id, parent: run.scope.self, input: input as never });
      run.children = { ...run.children, [id]: child };
      run.scope.defer(() => void child.start());
      return child;
    };

  const stopChild = (run: Run, id: string): void => {
    const { [id]: child, ...others } = run.children;
    if (child === undefined) return;
    run.children = others;
    run.scope.defer(() => run.scope.stopChild(child));
  };

  const toArgs = ({ context, event, scope: { self, system } }: Run) => ({ context, event, self, system });

  const perform = (run: Run, { implementation, type, params }: PodAction): void => {
    const args = toArgs(run);
    const given = typeof params === "function" ? params(args) : params;
    switch (implementation.kind) {
      case "effect":
        // Of the actor, effects use what every actor has.
        run.scope.actionExecutor({
          ...{ type, params: given, exec: implementation.exec },
          info: args as unknown as ExecutableActionObject["info"],
        });
        return;
      case "assign":
        run.context = { ...run.context, ...implementation.assign({ ...args, spawn: spawn(run) }, given) };
        return;
      case "enqueue":
        for (const step of collect(run, implementation.collect, given)) step();
    }
  };

  /** What was asked for is done when all of it has been asked for, as XState does it. */
  const collect = (
    run: Run,
    ask: Extract<PodAction["implementation"], { kind: "enqueue" }>["collect"],
    params: unknown,
  ): readonly (() => void)[] => {
    const steps: (() => void)[] = [];
    const enqueue = Object.assign((name: string) => steps.push(() => perform(run, table.action(name))), {
      assign: (change: Partial<PodContext>) =>
        steps.push(() => {
          run.context = { ...run.context, ...change };
        }),
      sendTo: (child: AnyActorRef, event: Parameters<AnyActorRef["send"]>[0]) =>
        steps.push(() => run.scope.defer(() => child.send(event))),
      stopChild: (id: string) => steps.push(() => stopChild(run, id)),
    });
    ask({ ...toArgs(run), enqueue }, params);
    return steps;
  };

  const take = (run: Run, from: PodState, { actions, target }: PodStep): PodSnapshot => {
    for (const action of actions) perform(run, action);
    return target === undefined ? settle(run, from) : enter(run, target);
  };

  const enter = (run: Run, value: PodState): PodSnapshot => {
    for (const action of table.states[value].entry) perform(run, action);
    return settle(run, value);
  };

  const settle = (run: Run, value: PodState): PodSnapshot => {
    const { always, isFinal } = table.states[value];
    const step = findStep(always, run);
    if (step !== undefined) return take(run, value, step);
    const { context, children } = run;
    const status = isFinal ? ("done" as const) : ("active" as const);
    return { status, output: undefined, error: undefined, value, context, children };
  };

  return {
    // What an inspector draws.
    config: machine.config,
    getInitialSnapshot: (scope, input) => {
      const run = { scope, event: firstEvent, context: table.toContext(input), children: {} };
      return enter(run, table.initial);
    },
    transition: (snapshot, event, scope) => {
      // XState's own events are not among those that the machine's type names.
      const type: string = event.type;
      if (type === "xstate.stop") {
        for (const child of Object.values(snapshot.children)) scope.stopChild(child);
        return { ...snapshot, status: "stopped", output: undefined, error: undefined, children: {} };
      }
      const { value, context, children } = snapshot;
      const run = { scope, event, context, children };
      const step = findStep(table.states[value].on.get(type) ?? [], run);
      return step === undefined ? snapshot : take(run, value, step);
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

// XState's own, which the machine's type does not name.
const firstEvent = { type: "xstate.init" } as unknown as PodEvent;

function findStep(steps: readonly PodStep[], { context, event }: Run): PodStep | undefined {
  for (const step of steps) if (step.guard({ context, event })) return step;
  return undefined;
}
