// SPDX-License-Identifier: Apache-2.0
// docs/machines, for each machine: XState accepts the JSON, every state is described, and no part of a drawing covers
// another one.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hookMachine } from "@rthooks/machines/hook/machine";
import { nriSessionMachine } from "@rthooks/machines/nri";
import { electionMachine, operatorMachine } from "@rthooks/machines/operator";
import { containerMachine, podMachine } from "@rthooks/machines/pod";
import { type Box, type ChartState, layOut, type Machine, readChart } from "@rthooks/statechart";
import { createMachine } from "xstate";

const folder = join(import.meta.dir, "../../docs/machines");
const machines: readonly Machine[] = [
  ...[hookMachine, containerMachine, podMachine, nriSessionMachine],
  ...[electionMachine, operatorMachine],
];

const listStates = (state: ChartState): readonly ChartState[] => [
  state,
  ...state.children.flatMap(listStates),
];

test("every machine has its files, and there are no others", () => {
  const expected = machines.flatMap(({ id }) => ["json", "mmd", "svg"].map((ending) => `${id}.${ending}`));
  expect(readdirSync(folder).toSorted()).toEqual([...expected, "README.md"].toSorted());
});

describe.each(machines.map((machine) => ({ id: machine.id, machine })))("$id", ({ id, machine }) => {
  const chart = readChart(machine);

  test("XState makes the same machine from the JSON", () => {
    const config: unknown = JSON.parse(readFileSync(join(folder, `${id}.json`), "utf8"));
    // The cast: a configuration from a file has no type.
    expect(readChart(createMachine(config as Parameters<typeof createMachine>[0]))).toEqual(chart);
  });

  test("every state is described in a sentence or two", () => {
    for (const { id: state, description } of chart.states.flatMap(listStates)) {
      expect({ state, description }).toEqual({
        state,
        description: expect.stringMatching(/^[A-Z].{15,}\.$/s),
      });
    }
  });

  test("no part of the drawing covers another", async () => {
    const { states, transitions, width, height } = await layOut(chart);
    const leaves = states.filter(({ state }) => state.children.length === 0);
    const boxes: readonly (Box & { readonly name: string })[] = [
      ...leaves.map((one) => ({ ...one, name: one.state.id })),
      ...transitions.map(({ label, lines }) => ({ ...label, name: lines.join(", ") })),
    ];
    const covered = boxes.flatMap((one, at) =>
      boxes.slice(at + 1).flatMap((other) => (overlap(one, other) ? [`${one.name} and ${other.name}`] : [])),
    );
    expect(covered).toEqual([]);
    for (const box of boxes) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
  });
});

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;
