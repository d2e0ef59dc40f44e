// SPDX-License-Identifier: Apache-2.0
// Both runners do what XState does, on every sequence of events of a machine that has all that a table can express.
import { describe, expect, test } from "bun:test";
import {
  type AnyActorLogic,
  type AnyStateMachine,
  assign,
  createActor,
  createMachine as createBareMachine,
  not,
  raise,
  SimulatedClock,
  setup,
} from "xstate";
import type { TransitionArgs } from "../table/machine-table.ts";
import { readMachineTable } from "../table/read-machine-table.ts";
import { createTableLogic } from "./actor-logic.ts";
import { createInvocation } from "./invocation.ts";

interface Context {
  readonly count: number;
}

interface Event {
  readonly type: "next" | "again" | "stay" | "inside" | "restart" | "leave" | "reset" | "blocked" | "unknown";
}

type Args = TransitionArgs<Context, Event>;

const reducers = {
  count: ({ context }: Args): Partial<Context> => ({ count: context.count + 1 }),
};
const guards = { isThird: ({ context }: Args): boolean => context.count >= 3 };
const delays = { short: (): number => 10, long: ({ context }: Args): number => 25 + context.count };

/** The actions record their names. */
function createMachine(effects: string[]) {
  const record = (name: string) => () => void effects.push(name);
  return setup({
    // The cast is XState's own way to name types; no value is behind it.
    types: {} as { context: Context; events: Event },
    actions: {
      count: assign(reducers.count),
      begin: record("begin"),
      enterOuter: record("enterOuter"),
      exitOuter: record("exitOuter"),
      enterFirst: record("enterFirst"),
      exitFirst: record("exitFirst"),
      enterSecond: record("enterSecond"),
      exitSecond: record("exitSecond"),
      enterOther: record("enterOther"),
      enterEnd: record("enterEnd"),
      move: record("move"),
      catch: record("catch"),
    },
    guards,
    delays,
  }).createMachine({
    id: "m",
    context: () => ({ count: 1 }),
    initial: "outer",
    entry: "begin",
    on: { reset: { target: ".outer", actions: "move" }, "*": { actions: "catch" } },
    states: {
      outer: {
        initial: "first",
        entry: "enterOuter",
        exit: "exitOuter",
        after: { long: { target: "other", actions: "move" } },
        on: {
          leave: { target: "other", actions: "move" },
          restart: { target: "outer", reenter: true },
          inside: ".second",
        },
        states: {
          first: {
            entry: "enterFirst",
            exit: "exitFirst",
            after: { short: "second" },
            on: { next: { target: "second", actions: "move" } },
          },
          second: {
            entry: "enterSecond",
            exit: "exitSecond",
            on: {
              next: "first",
              stay: { target: "second", actions: "move" },
              again: { target: "second", reenter: true, actions: "count" },
              blocked: {},
            },
          },
        },
      },
      other: {
        entry: ["count", "enterOther"],
        always: { guard: "isThird", target: "end", actions: "move" },
        after: { short: "outer" },
        on: { next: "outer.second", "*": {} },
      },
      end: { type: "final", entry: "enterEnd" },
    },
  });
}

const ADVANCE_MS = 9;
type Input = Event["type"] | "advance";
const inputs: readonly Input[] = [
  "next",
  "again",
  "stay",
  "inside",
  "restart",
  "leave",
  "reset",
  "blocked",
  "unknown",
  "advance",
];

const listSequences = (length: number): readonly (readonly Input[])[] =>
  length === 0
    ? [[]]
    : listSequences(length - 1).flatMap((sequence) => inputs.map((input) => [...sequence, input]));

/** State, context and effects after the start and after each input. */
function walkActor(toLogic: (machine: AnyStateMachine) => AnyActorLogic, sequence: readonly Input[]) {
  const effects: string[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(toLogic(createMachine(effects)), { clock });
  const look = () => ({
    value: actor.getSnapshot().value,
    count: actor.getSnapshot().context.count,
    effects: effects.splice(0),
  });
  actor.start();
  return [
    look(),
    ...sequence.map((input) => {
      if (input === "advance") for (let ms = 0; ms < ADVANCE_MS; ms++) clock.increment(1);
      else if (actor.getSnapshot().status === "active") actor.send({ type: input });
      return look();
    }),
  ];
}

const table = readMachineTable(createMachine([]));

function walkInvocation(sequence: readonly Input[]) {
  const run = createInvocation<Context, Event>(table, { reducers, guards, delays }, { count: 1 });
  let now = 0;
  const effects: string[] = [];
  const look = () => ({
    value: table.states[run.state]?.value,
    count: run.context.count,
    effects: effects.splice(0),
  });
  effects.push(...run.start(now));
  return [
    look(),
    ...sequence.map((input) => {
      if (input !== "advance") effects.push(...run.send({ type: input }, now));
      else for (const end = now + ADVANCE_MS; now < end; effects.push(...run.tick(now))) now++;
      return look();
    }),
  ];
}

describe("on every sequence of three events", () => {
  const byXState = listSequences(3).map((sequence) => walkActor((machine) => machine, sequence));

  test("XState reaches every state", () => {
    const values = new Set(byXState.flat().map(({ value }) => JSON.stringify(value)));
    expect(values).toEqual(new Set(Object.values(table.states).map(({ value }) => JSON.stringify(value))));
  });

  test("an actor that runs the table does what XState does", () => {
    for (const [index, sequence] of listSequences(3).entries()) {
      expect({ sequence, steps: walkActor(createTableLogic, sequence) }).toEqual({
        sequence,
        steps: byXState[index] ?? [],
      });
    }
  });

  test("an invocation does what XState does", () => {
    for (const [index, sequence] of listSequences(3).entries()) {
      expect({ sequence, steps: walkInvocation(sequence) }).toEqual({
        sequence,
        steps: byXState[index] ?? [],
      });
    }
  });
});

test.each([
  ["action", { entry: "missing" }],
  ["guard", { always: { guard: "missing" } }],
  ["delay", { after: { missing: {} } }],
])("an actor's logic is not made of a machine that lacks an %s", (kind, state) => {
  const machine: AnyStateMachine = createBareMachine({ id: "m", initial: "a", states: { a: state } });
  expect(() => createTableLogic(machine)).toThrow(`m has no ${kind} missing`);
});

test.each([
  ["action", { actions: { act: raise({ type: "go" }) } }],
  ["guard", { guards: { may: not("mayNot") } }],
])("an actor's logic is not made of a machine with an %s that it cannot run", (kind, implementations) => {
  const machine: AnyStateMachine = createBareMachine({ initial: "a", states: { a: {} } });
  expect(() => createTableLogic(machine.provide(implementations))).toThrow(`cannot run the ${kind}`);
});
