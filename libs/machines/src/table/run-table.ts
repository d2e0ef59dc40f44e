// SPDX-License-Identifier: Apache-2.0

import type { MachineTable, Step } from "./table.ts";

/** The names in a table, given their meaning. An action that is no reducer is an effect of the caller's. */
export interface TableLogic<Context, Event> {
  readonly reducers: Readonly<Record<string, (context: Context, event: Event) => Partial<Context>>>;
  readonly guards: Readonly<Record<string, (context: Context) => boolean>>;
  readonly delays: Readonly<Record<string, (context: Context) => number>>;
}

export interface TableRun<Context, Event> {
  readonly state: string;
  readonly context: Context;
  readonly done: boolean;
  /** When the next timer is due, on the caller's clock in milliseconds. */
  readonly nextTimerAt: number;
  /** Effects to perform, in order. Reducers are already applied. An event that no one waits for changes nothing. */
  send(event: Event, nowMs: number): readonly string[];
  /** The same for the timer that is due at `nowMs`; the earliest if several are. */
  tick(nowMs: number): readonly string[];
}

interface DueTimer {
  readonly id: string;
  readonly at: number;
}

/** A loop, as everywhere here: find() and its like are made by the runtime at their first use, at 0.1 ms each. */
function findTimer(timers: readonly DueTimer[], id: string): DueTimer | undefined {
  for (const timer of timers) if (timer.id === id) return timer;
  return undefined;
}

/** Starts the machine; the effects of its first states come from `start`. */
export function runTable<Context, Event extends { readonly type: string }>(
  table: MachineTable,
  logic: TableLogic<Context, Event>,
  first: Context,
  start: (effects: readonly string[]) => void,
  nowMs: number,
): TableRun<Context, Event> {
  let state = "";
  let context = first;
  let due: readonly DueTimer[] = [];

  /** The earliest; of several at once the one of the outermost state. */
  const findNext = (): DueTimer | undefined => {
    let next: DueTimer | undefined;
    for (const timer of due) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  };

  const take = (step: Step, event: Event | undefined, now: number): readonly string[] => {
    const effects: string[] = [];
    for (const action of step.actions) {
      const reducer = logic.reducers[action];
      if (reducer === undefined) effects.push(action);
      else if (event !== undefined) context = { ...context, ...reducer(context, event) };
    }
    state = step.target;
    const running: DueTimer[] = [];
    for (const { id, delay } of table.states[state]?.timers ?? []) {
      const kept = step.keeps.includes(id) ? findTimer(due, id) : undefined;
      running.push(kept ?? { id, at: now + (logic.delays[delay]?.(context) ?? 0) });
    }
    due = running;
    return effects;
  };

  const dispatch = (event: Event, now: number): readonly string[] => {
    for (const step of table.states[state]?.on[event.type] ?? []) {
      const { guard } = step;
      if (guard === undefined || logic.guards[guard]?.(context) === true) return take(step, event, now);
    }
    return [];
  };

  start(take(table.initial, undefined, nowMs));
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
    get nextTimerAt() {
      return findNext()?.at ?? Number.POSITIVE_INFINITY;
    },
    send: dispatch,
    tick(now) {
      const next = findNext();
      if (next === undefined || next.at > now) return [];
      due = due.filter((timer) => timer !== next);
      // A delay raises an event of its own type, which carries nothing.
      return dispatch({ type: next.id } as Event, now);
    },
  };
}
