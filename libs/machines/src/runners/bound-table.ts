// SPDX-License-Identifier: Apache-2.0
// A machine's table with its names replaced by what they do, so that a step of an actor looks nothing up.

import type { AnyEventObject, AnyStateMachine, MachineContext, StateValue } from "xstate";
import type { MachineTable, TableTransition, TransitionArgs } from "../table/machine-table.ts";
import type { ActorAction, ActorImplementations } from "./actor-implementations.ts";

type Args = TransitionArgs<MachineContext, AnyEventObject>;

export interface BoundTransition {
  readonly guard: ((args: Args) => boolean) | undefined;
  readonly target: BoundState;
  readonly actions: readonly BoundAction[];
  readonly keeps: readonly string[];
}

interface BoundAction {
  readonly type: string;
  readonly does: ActorAction;
}

/** A leaf state. */
export interface BoundState {
  readonly name: string;
  readonly value: StateValue;
  readonly final: boolean;
  readonly on: ReadonlyMap<string, readonly BoundTransition[]>;
  /** For an event of any other type. */
  readonly onAny: readonly BoundTransition[];
  readonly always: readonly BoundTransition[];
  readonly after: readonly BoundDelay[];
}

interface BoundDelay {
  readonly event: string;
  /** In milliseconds. */
  readonly delay: (args: Args) => number;
}

export interface BoundTable {
  readonly initial: BoundTransition;
  readonly states: ReadonlyMap<string, BoundState>;
}

/** Throws on names without an implementation. */
export function bindTable(
  { id }: AnyStateMachine,
  table: MachineTable,
  { actions, guards, delays }: ActorImplementations,
): BoundTable {
  const find = <T>(found: ReadonlyMap<string, T>, kind: string, name: string): T => {
    const value = found.get(name);
    if (value === undefined) throw new Error(`${id} has no ${kind} ${name}`);
    return value;
  };
  const states = new Map<string, BoundState>();
  const bind = (transition: TableTransition): BoundTransition => ({
    guard: transition.guard === undefined ? undefined : find(guards, "guard", transition.guard),
    target: find(states, "state", transition.target),
    actions: transition.actions.map((type) => ({ type, does: find(actions, "action", type) })),
    keeps: transition.keeps,
  });
  // All states first, without their transitions: these name any of them.
  const fills = Object.entries(table.states).map(([name, { value, final, on, always, after }]) => {
    const ways = new Map<string, readonly BoundTransition[]>();
    const onAny: BoundTransition[] = [];
    const eventless: BoundTransition[] = [];
    const bound = after.map(({ event, delay }) => ({ event, delay: find(delays, "delay", delay) }));
    states.set(name, { name, value, final, on: ways, onAny, always: eventless, after: bound });
    return () => {
      for (const [event, list] of Object.entries(on)) ways.set(event, list.map(bind));
      onAny.push(...(ways.get("*") ?? []));
      eventless.push(...always.map(bind));
    };
  });
  for (const fill of fills) fill();
  return { initial: bind(table.initial), states };
}
