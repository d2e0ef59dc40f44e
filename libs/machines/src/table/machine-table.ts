// SPDX-License-Identifier: Apache-2.0
// The one format in which both runners get a machine: nested states are flattened to their leaves, so a step needs no
// search. A table is plain JSON, and a bundler can put it into a program. What its names do, a runner is given beside it.

import type { StateValue } from "xstate";

/** One way out of a state: the first whose guard holds is taken. */
export interface TableTransition {
  readonly guard?: string;
  /** A leaf state: the same one where no state is left. */
  readonly target: string;
  /** In order: exit actions of the states left, actions of the transition, entry actions of the states entered. */
  readonly actions: readonly string[];
  /** Events of the delays that continue. All other delays of the target start, and those of the source end. */
  readonly keeps: readonly string[];
}

export interface TableDelay {
  /** Type of the event that is raised at the end: `xstate.after.DELAY.STATE`. */
  readonly event: InternalEvent["type"];
  readonly delay: string;
}

/** A leaf state, with all that it inherits from the states around it. */
export interface TableState {
  /** The same state as XState writes it: `{ active: "loading" }`. */
  readonly value: StateValue;
  /** By event type, in the order in which they are tried. "*": for an event of any other type. */
  readonly on: Readonly<Record<string, readonly TableTransition[]>>;
  /** Eventless transitions, tried after each step. */
  readonly always: readonly TableTransition[];
  readonly after: readonly TableDelay[];
  readonly final: boolean;
}

export interface MachineTable {
  /** The machine's. */
  readonly id: string;
  readonly initial: TableTransition;
  /** By the key of the leaf, which is unique in its machine. */
  readonly states: Readonly<Record<string, TableState>>;
}

/** Events that come from XState and not from a machine's environment: its start, and the end of a delay. */
export interface InternalEvent {
  readonly type: `xstate.${string}`;
}

/** What guards, delays and reducers are called with, by XState and by both runners. */
export interface TransitionArgs<Context, Event> {
  readonly context: Context;
  readonly event: Event | InternalEvent;
}
