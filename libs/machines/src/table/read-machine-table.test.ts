// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type AnyStateMachine, and, createMachine } from "xstate";
import { readMachineTable } from "./read-machine-table.ts";

test("a leaf has what the states around it have, after its own", () => {
  const machine = createMachine({
    id: "m",
    initial: "outer",
    on: { stop: { target: ".end", guard: "mayStop" } },
    states: {
      outer: {
        initial: "inner",
        exit: "leave",
        after: { limit: { target: "end", actions: "giveUp" } },
        states: { inner: { entry: "begin", on: { stop: { actions: "refuse", guard: "isBusy" } } } },
      },
      end: { type: "final", entry: "finish" },
    },
  });
  expect(readMachineTable(machine)).toEqual({
    id: "m",
    initial: { target: "inner", actions: ["begin"], keeps: [] },
    states: {
      inner: {
        value: { outer: "inner" },
        on: {
          stop: [
            { guard: "isBusy", target: "inner", actions: ["refuse"], keeps: ["xstate.after.limit.m.outer"] },
            { guard: "mayStop", target: "end", actions: ["leave", "finish"], keeps: [] },
          ],
          "xstate.after.limit.m.outer": [
            { target: "end", actions: ["leave", "giveUp", "finish"], keeps: [] },
          ],
        },
        always: [],
        after: [{ event: "xstate.after.limit.m.outer", delay: "limit" }],
        final: false,
      },
      end: {
        value: "end",
        on: { stop: [{ guard: "mayStop", target: "end", actions: ["finish"], keeps: [] }] },
        always: [],
        after: [],
        final: true,
      },
    },
  });
});

describe("what a table cannot express is refused:", () => {
  const refused: readonly (readonly [what: string, machine: AnyStateMachine])[] = [
    ["a parallel state", createMachine({ type: "parallel", states: { a: {} } })],
    ["a history state", createMachine({ initial: "a", states: { a: {}, b: { type: "history" } } })],
    [
      "a final state within another",
      createMachine({ initial: "a", states: { a: { initial: "b", states: { b: { type: "final" } } } } }),
    ],
    [
      "another state with the same key",
      createMachine({
        initial: "a",
        states: { a: { initial: "a", states: { a: {} } }, b: { initial: "a", states: { a: {} } } },
      }),
    ],
    ["invoked actors", createMachine({ initial: "a", states: { a: { invoke: { src: "other" } } } })],
    ["a part of an event type", createMachine({ initial: "a", states: { a: { on: { "mouse.*": "a" } } } })],
    ["an output", createMachine({ initial: "a", output: 1, states: { a: {} } })],
    ["exit actions at the machine's end", createMachine({ initial: "a", exit: "leave", states: { a: {} } })],
    [
      "actions of an initial state",
      createMachine({ initial: { target: "a", actions: "begin" }, states: { a: {} } }),
    ],
    ["that is not a plain name", createMachine({ initial: "a", states: { a: { entry: () => {} } } })],
    [
      "that is not a plain name",
      createMachine({ initial: "a", states: { a: { entry: { type: "x", params: 1 } } } }),
    ],
    [
      "that is not a plain name",
      createMachine({ initial: "a", states: { a: { on: { go: { guard: and(["x", "y"]) } } } } }),
    ],
    ["that is not a plain name", createMachine({ initial: "a", states: { a: { after: { 10: "a" } } } })],
    [
      "enters the machine's root again",
      createMachine({ initial: "a", on: { go: { target: ".a", reenter: true } }, states: { a: {} } }),
    ],
  ];
  test.each(refused)("%s", (what, machine) => {
    expect(() => readMachineTable(machine)).toThrow(what);
  });
});
