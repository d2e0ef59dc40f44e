// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { setup } from "xstate";
import { readChart } from "./chart.ts";
import { renderMermaid } from "./mermaid.ts";

const machine = setup({
  types: { events: {} as { type: "open" } | { type: "knock" } | { type: "break" } },
  actions: { ring: () => {}, lock: () => {} },
  guards: { isKnown: () => true },
  delays: { patience: 1000 },
}).createMachine({
  id: "door",
  initial: "closed",
  on: { break: ".broken", knock: { actions: "ring" } },
  states: {
    closed: {
      description: "The door is closed.",
      initial: "locked",
      states: {
        locked: {
          entry: "lock",
          on: {
            open: [{ guard: "isKnown", target: "#door.opened", actions: "ring" }, { actions: "lock" }],
          },
        },
        ajar: { always: { guard: "isKnown", target: "#door.opened" } },
      },
    },
    opened: { after: { patience: "closed.ajar" } },
    broken: { type: "final" },
  },
});

test("a chart has the machine's states, and its transitions in words", () => {
  const chart = readChart(machine);
  expect(chart.id).toBe("door");
  expect(chart.internal).toEqual([{ event: "knock", guard: "", actions: ["ring"] }]);
  expect(chart.states.map(({ id, kind, isInitial }) => ({ id, kind, isInitial }))).toEqual([
    { id: "closed", kind: "compound", isInitial: true },
    { id: "opened", kind: "atomic", isInitial: false },
    { id: "broken", kind: "final", isInitial: false },
  ]);
  expect(chart.states[0]).toMatchObject({
    description: "The door is closed.",
    children: [
      {
        id: "closed.locked",
        name: "locked",
        isInitial: true,
        entry: ["lock"],
        exit: [],
        internal: [{ event: "open", guard: "", actions: ["lock"] }],
      },
      { id: "closed.ajar", isInitial: false },
    ],
  });
  expect(chart.transitions).toEqual([
    { source: "", target: "broken", event: "break", guard: "", actions: [] },
    { source: "closed.locked", target: "opened", event: "open", guard: "isKnown", actions: ["ring"] },
    { source: "closed.ajar", target: "opened", event: "always", guard: "isKnown", actions: [] },
    { source: "opened", target: "closed.ajar", event: "after patience", guard: "", actions: [] },
  ]);
});

test("Mermaid gets the same states and transitions", () => {
  expect(renderMermaid(readChart(machine)).split("\n")).toEqual([
    "stateDiagram-v2",
    "  [*] --> closed",
    '  state "closed" as closed {',
    "    [*] --> closed_locked",
    '    state "locked" as closed_locked',
    '    state "ajar" as closed_ajar',
    "  }",
    '  state "opened" as opened',
    '  state "broken" as broken',
    "  broken --> [*]",
    "  closed_locked --> opened : open [isKnown]",
    "  closed_ajar --> opened : always [isKnown]",
    "  opened --> closed_ajar : after patience",
    '  state "any state" as anyState',
    "  anyState --> broken : break",
    "",
  ]);
});
