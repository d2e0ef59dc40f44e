// SPDX-License-Identifier: Apache-2.0
// The container machine as a table: what is done on each event in each state, with little left to work out.

import type { AnyStateNode, ExecutableActionObject, SnapshotFrom } from "xstate";
import {
  type ContainerContext,
  type ContainerEvent,
  containerGuards,
  containerReducers,
} from "./container-logic.ts";
import type { containerMachine } from "./container-machine.ts";

type Machine = typeof containerMachine;

export type ContainerState = SnapshotFrom<Machine>["value"];

/** As XState types them for an effect of any machine. */
export type EffectArgs = ExecutableActionObject["info"];

type Reducer = (context: ContainerContext, event: ContainerEvent) => Partial<ContainerContext>;
type Guard = (context: ContainerContext, event: ContainerEvent) => boolean;

/** Changes the context, or is an effect. */
type Action =
  | { readonly reduce: Reducer }
  | { readonly reduce?: never; readonly type: string; readonly exec: ExecutableActionObject["exec"] };

export interface Step {
  readonly guard: Guard;
  readonly actions: readonly Action[];
  /** Undefined: the state is not left. */
  readonly target: ContainerState | undefined;
}

interface Timer {
  /** Names the timer, and is the event that it sends. */
  readonly type: string;
  findDelayMs(args: EffectArgs): number;
}

export interface TableState {
  readonly entry: readonly Action[];
  readonly timers: readonly Timer[];
  readonly always: readonly Step[];
  /** In the order in which they are tried, like those for any other event. */
  readonly on: ReadonlyMap<string, readonly Step[]>;
  readonly onOther: readonly Step[];
}

export type ContainerTable = Readonly<Record<ContainerState, TableState>>;

type Transition = NonNullable<AnyStateNode["always"]>[number];

const reducers: Readonly<Record<string, Reducer>> = containerReducers;
const guards: Readonly<Record<string, Guard>> = containerGuards;
const holdsAlways: Guard = () => true;
const anyEvent = "*";

/** Throws on what the table cannot say: states within states, actions of a whole machine, or of no name. */
export function readContainerTable(machine: Machine): ContainerTable {
  const { root } = machine;
  const { actions, delays } = machine.implementations;

  const toAction = (reference: unknown): Action => {
    if (typeof reference !== "string") throw new Error(`${machine.id}: a table's actions are names`);
    const reduce = reducers[reference];
    return reduce === undefined ? { type: reference, exec: actions[reference] } : { reduce };
  };

  const toStep = ({ source, guard, actions: names, target, reenter }: Transition): Step => {
    const [state, ...others] = target ?? [];
    const found = guard === undefined ? holdsAlways : guards[String(guard)];
    if (found === undefined || others.length > 0 || (state === source && !reenter)) {
      throw new Error(`${source.id}: a table's step has one target, which it enters, and a guard by name`);
    }
    return { guard: found, actions: names.map(toAction), target: state && toName(state) };
  };

  const stepsOf = (node: AnyStateNode, eventType: string): readonly Step[] => {
    const exact = eventType === anyEvent ? [] : (node.transitions.get(eventType) ?? []);
    return [...exact, ...(node.transitions.get(anyEvent) ?? [])].map(toStep);
  };

  const toTimer = ({ eventType, delay }: { readonly eventType: string; readonly delay: unknown }): Timer => {
    const provided = delays[String(delay)];
    if (provided === undefined) throw new Error(`${machine.id}: a table's delays are names`);
    if (typeof provided === "number") return { type: eventType, findDelayMs: () => provided };
    type Args = Parameters<typeof provided>[0];
    // The same arguments, as XState types them for this machine.
    return { type: eventType, findDelayMs: (args) => provided(args as unknown as Args, undefined) };
  };

  const toTableState = (node: AnyStateNode): TableState => {
    // XState's own actions, which start and stop a state's timers, are the only functions among the names.
    const [entry, exit] = [node.entry, node.exit].map((all) =>
      all.filter((name) => typeof name !== "function"),
    );
    if (node.type !== "atomic" || exit === undefined || exit.length > 0) {
      throw new Error(`${node.id}: a table has no states within states, and no exit actions`);
    }
    const eventTypes = new Set([...node.transitions.keys(), ...root.transitions.keys()]);
    const steps = (eventType: string) => [...stepsOf(node, eventType), ...stepsOf(root, eventType)];
    return {
      entry: (entry ?? []).map(toAction),
      timers: node.after.map(toTimer),
      always: (node.always ?? []).map(toStep),
      on: new Map([...eventTypes].map((eventType) => [eventType, steps(eventType)])),
      onOther: steps(anyEvent),
    };
  };

  const rootActions = [...root.entry, ...root.exit, ...root.after, ...(root.always ?? [])];
  if (rootActions.length > 0) throw new Error(`${root.id}: a table's machine acts in its states only`);
  const entries = Object.values(root.states).map((node) => [toName(node), toTableState(node)] as const);
  // The keys are those of the machine's states, all of them.
  return Object.fromEntries(entries) as ContainerTable;
}

// The key of one of the machine's states, which XState types as any text.
const toName = (node: AnyStateNode): ContainerState => node.key as ContainerState;
