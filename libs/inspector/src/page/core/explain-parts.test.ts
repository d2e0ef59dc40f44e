// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type HoldPhase, type NodeOverview, type RuntimeHold, toStartSequence } from "@rthooks/explain";
import { deniedExample, overviewExample, startedExample } from "@rthooks/explain/examples";
import { toTiles } from "./overview-tiles.ts";
import { toPhaseBars } from "./phase-bars.ts";
import { characterWidth, halfName, layOutSequence, textLength, timeX } from "./sequence-layout.ts";
import { nameSource, summarize } from "./words.ts";

describe("the tiles of the overview", () => {
  const quiet: NodeOverview = {
    ...{
      atMs: 0,
      node: "n",
      version: "1",
      held: [],
      heldCount: 0,
      denied: [],
      deniedCount: 0,
      enforced: [],
      enforcedCount: 0,
    },
    ...{ sources: [], policies: [], containers: [], interfaces: [], problems: [] },
  };
  const read = (overview: NodeOverview) =>
    toTiles(overview).map(({ id, value, note, tone }) => `${id}: ${value} (${note}) ${tone}`);

  test("of a node with everything", () => {
    expect(read(overviewExample)).toEqual([
      "held: 1 (longest 2.4 s) busy",
      expect.stringMatching(/^denied: 1 \(last at \d\d:26:55\) bad$/),
      "sources: 1 stale (API server) bad",
      "policies: 1 not loaded (12 enabled, 1 load_error) bad",
      "containers: 41 (38 released, 2 failed, 1 identified) good",
      "problems: 1 (pods from the API server may be out of date: connection refused) bad",
    ]);
  });

  test("of a node with nothing", () => {
    expect(read(quiet)).toEqual([
      "held: 0 (no start waits) over",
      "denied: 0 (no start was denied) good",
      "sources: off (hook calls only) over",
      "policies: 0 (no policy is loaded) over",
      "containers: 0 (none on record) over",
      "problems: 0 (none) good",
    ]);
  });

  test("name the sources that are current where none is stale", () => {
    const sources = overviewExample.sources.filter(({ state }) => state !== "stale");
    expect(read({ ...quiet, sources })[2]).toBe("sources: current (CRI, policy files) good");
  });
});

describe("the bars of a hold", () => {
  const hold: RuntimeHold = { by: "hook", startedMs: 100, durationMs: 10, phases: [] };
  const phase = (startedMs: number, durationMs: number): HoldPhase => ({
    ...{ where: "agent", what: "work", startedMs, durationMs },
  });
  const bars = (...phases: RuntimeHold["phases"]) => toPhaseBars({ ...hold, phases });
  const read = ({ bars: all, restMs }: ReturnType<typeof toPhaseBars>) => ({
    bars: all.map(({ offset, width }) => [offset, width]),
    restMs,
  });

  test("are parts of the whole, and the rest is what no phase covers", () => {
    expect(read(bars(phase(100, 2), phase(105, 1)))).toEqual({
      bars: [
        [0, 0.2],
        [0.5, 0.1],
      ],
      restMs: 7,
    });
  });
  test("may overlap, in any order", () => {
    expect(read(bars(phase(102, 6), phase(101, 4)))).toEqual({
      bars: [
        [0.2, 0.6],
        [0.1, 0.4],
      ],
      restMs: 3,
    });
  });
  test("are cut at the ends of the hold", () => {
    expect(read(bars(phase(95, 7), phase(108, 50), phase(300, 1)))).toEqual({
      bars: [
        [0, 0.2],
        [0.8, 0.2],
        [1, 0],
      ],
      restMs: 6,
    });
  });
  test("of a hold without a duration have none either", () => {
    expect(read(toPhaseBars({ ...hold, durationMs: 0, phases: [phase(100, 1)] }))).toEqual({
      bars: [[0, 0]],
      restMs: 0,
    });
  });
});

describe("the layout of a sequence", () => {
  test.each([
    ["of a start", startedExample],
    ["of a denial", deniedExample],
    ["of an unheld container", { ...startedExample, hold: undefined }],
  ])("%s: no two texts share a row, and all are inside of the drawing", (_, explanation) => {
    const sequence = toStartSequence(explanation);
    const { width, height, columns, rows } = layOutSequence(sequence);
    expect(rows).toHaveLength(sequence.steps.length);
    expect(columns.map(({ name }) => name)).toEqual([...sequence.participants]);
    for (const [at, row] of rows.entries()) {
      expect(row.y - (rows[at - 1]?.y ?? 0)).toBeGreaterThan(30);
      expect(row.textX + textLength(row) * characterWidth).toBeLessThan(width);
      expect(row.y).toBeLessThan(height - 10);
      expect(row.time.length * characterWidth).toBeLessThan(timeX);
    }
    for (const [at, { x }] of columns.entries()) {
      const before = columns[at - 1];
      expect(x - halfName).toBeGreaterThan(before === undefined ? timeX : before.x + halfName);
      expect(x + halfName).toBeLessThan(width);
    }
  });

  test("a participant is active from the first step that asks it to its last one", () => {
    const { columns, rows } = layOutSequence(toStartSequence(startedExample));
    const active = Object.fromEntries(columns.map(({ name, active: span }) => [name, span]));
    expect(active["runtime"]).toBeUndefined();
    expect(active["hook"]).toEqual({ top: rows[0]?.y ?? 0, bottom: rows[8]?.y ?? 0 });
    expect(active["pod source"]).toEqual({ top: rows[3]?.y ?? 0, bottom: rows[4]?.y ?? 0 });
    expect(active["kernel map"]).toEqual({ top: rows[6]?.y ?? 0, bottom: (rows[6]?.y ?? 0) + 14 });
  });

  test("a participant that was asked in vain is not active", () => {
    const { columns } = layOutSequence(toStartSequence(deniedExample));
    expect(columns.map(({ active }) => active !== undefined)).toEqual([false, true, false]);
  });

  test("of no steps is empty", () => {
    expect(layOutSequence({ participants: [], steps: [], clockGapMs: 0 }).rows).toEqual([]);
  });
});

describe("words", () => {
  test("for sources, also of a newer program", () => {
    expect(["hook", "meteor", "toString"].map(nameSource)).toEqual(["hook call", "meteor", "toString"]);
  });
  test.each([
    [startedExample, "The container was started. The runtime was held by the OCI hook for 11 ms."],
    [deniedExample, "The start was denied. The runtime was held by the OCI hook for 2.0 s."],
    [
      { ...startedExample, hold: undefined },
      "The container was started. Nothing held it, as far as the agent knows.",
    ],
    [
      { ...startedExample, outcome: "held" } as const,
      "The runtime waits: the container has not started. It is held by the OCI hook.",
    ],
  ])("for an explanation", (explanation, text) => {
    expect(summarize(explanation)).toBe(text);
  });
});
