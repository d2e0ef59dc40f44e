// SPDX-License-Identifier: Apache-2.0
// Runs a machine table once, from its start to a final state, without XState: for the hook, in which the use of XState
// would cost 2 ms of 6 (docs/adr/0004). The code is written for a process in which every function runs for the first
// time (docs/adr/0008): loops, and few functions.

import type { InspectOptions } from "../inspection/inspection.ts";
import type { InternalEvent, MachineTable, TableTransition, TransitionArgs } from "../table/machine-table.ts";
import { inspectInvocation } from "./inspect-invocation.ts";

/** What the names in a table do. An action without a reducer is an effect, which the caller performs. */
export interface InvocationLogic<Context, Event> {
  readonly reducers: Readonly<Record<string, (args: TransitionArgs<Context, Event>) => Partial<Context>>>;
  readonly guards: Readonly<Record<string, (args: TransitionArgs<Context, Event>) => boolean>>;
  /** In milliseconds. */
  readonly delays: Readonly<Record<string, (args: TransitionArgs<Context, Event>) => number>>;
}

export interface Invocation<Context, Event> {
  /** The leaf state. */
  readonly state: string;
  readonly context: Context;
  readonly done: boolean;
  /** When the next delay ends, on the caller's clock in milliseconds; infinity if none runs. */
  readonly nextDelayAt: number;
  /** Enters the initial state. Like `send` and `tick` it returns the effects to perform, in order. */
  start(nowMs: number): readonly string[];
  /** An event for which the state has no transition changes nothing. */
  send(event: Event | InternalEvent, nowMs: number): readonly string[];
  /** Raises the event of the delay that has ended by `nowMs`: of the earliest if several have. */
  tick(nowMs: number): readonly string[];
}

interface RunningDelay {
  readonly event: InternalEvent["type"];
  readonly at: number;
}

function findDelay(delays: readonly RunningDelay[], event: string): RunningDelay | undefined {
  for (const delay of delays) if (delay.event === event) return delay;
  return undefined;
}

const started: InternalEvent = { type: "xstate.init" };

/** `start` must be called once, first. */
export function createInvocation<Context, Event extends { readonly type: string }>(
  table: MachineTable,
  logic: InvocationLogic<Context, Event>,
  initial: Context,
  options?: InspectOptions,
): Invocation<Context, Event> {
  let state = "";
  let context = initial;
  let delays: readonly RunningDelay[] = [];

  const inspected =
    options === undefined ? undefined : inspectInvocation(table, options, () => ({ state, context }));

  /** The earliest; of several at once the one of the outermost state. */
  const findNextDelay = (): RunningDelay | undefined => {
    let next: RunningDelay | undefined;
    for (const delay of delays) if (next === undefined || delay.at < next.at) next = delay;
    return next;
  };

  const choose = (
    transitions: readonly TableTransition[] | undefined,
    event: Event | InternalEvent,
  ): TableTransition | undefined => {
    for (const transition of transitions ?? []) {
      const { guard } = transition;
      if (guard === undefined || logic.guards[guard]?.({ context, event }) === true) return transition;
    }
    return undefined;
  };

  /** Takes the transition and the eventless ones that follow it. */
  const take = (
    first: TableTransition | undefined,
    event: Event | InternalEvent,
    now: number,
  ): readonly string[] => {
    const effects: string[] = [];
    inspected?.received(event);
    for (let next = first; next !== undefined; next = choose(table.states[state]?.always, event)) {
      for (const action of next.actions) {
        const reducer = logic.reducers[action];
        if (reducer === undefined) effects.push(action);
        else context = { ...context, ...reducer({ context, event }) };
      }
      state = next.target;
      const running: RunningDelay[] = [];
      for (const { event: raised, delay } of table.states[state]?.after ?? []) {
        const kept = next.keeps.includes(raised) ? findDelay(delays, raised) : undefined;
        running.push(kept ?? { event: raised, at: now + (logic.delays[delay]?.({ context, event }) ?? 0) });
      }
      delays = running;
    }
    inspected?.stepped(event, effects);
    return effects;
  };

  const send = (event: Event | InternalEvent, now: number): readonly string[] => {
    const on = table.states[state]?.on;
    return take(choose(on?.[event.type] ?? on?.["*"], event), event, now);
  };

  return {
    get state() {
      return state;
    },
    get context() {
      return context;
    },
    get done() {
      return table.states[state]?.final ?? true;
    },
    get nextDelayAt() {
      return findNextDelay()?.at ?? Number.POSITIVE_INFINITY;
    },
    start: (now) => take(table.initial, started, now),
    send,
    tick(now) {
      const next = findNextDelay();
      if (next === undefined || next.at > now) return [];
      delays = delays.filter((delay) => delay !== next);
      const ended: InternalEvent = { type: next.event };
      return send(ended, now);
    },
  };
}
