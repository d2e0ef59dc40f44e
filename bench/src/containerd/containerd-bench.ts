// SPDX-License-Identifier: Apache-2.0
// What a container's start through CRI costs more with the NRI plugin.
//
// Each way has a containerd of its own, and they take turns, one container each a round. To connect and disconnect a
// plugin between the samples of one containerd would be no fairer: the start of a process before each sample disturbs
// more than it levels. A second containerd without a plugin shows what differs between two that are alike. The order
// turns by one each round, so that none always follows the same neighbour's clean-up.
import { createAgentControl } from "../../../tests/harness/agent-control.ts";
import { type ContainerdRelease, containerdReleases } from "../../../tests/harness/containerd-release.ts";
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import { buildEmptyProgram } from "../empty-program.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { type Lane, openLane, type StartTimes } from "./lane.ts";

const warmUpRounds = 5;
const rounds = 200;
const burstSize = 20;
const bursts = 8;

const digits = (value: number) => value.toFixed(1);
const toWholeMs = ({ createMs, startMs }: StartTimes) => createMs + startMs;

/** Runs the work for each lane in turns; the samples of each lane, in the lanes' own order. */
async function takeTurns<T>(
  lanes: readonly Lane[],
  counts: { readonly warmUp: number; readonly measured: number },
  work: (lane: Lane) => Promise<T>,
): Promise<readonly (readonly T[])[]> {
  const samples = lanes.map((): T[] => []);
  for (let round = -counts.warmUp; round < counts.measured; round++) {
    for (let turn = 0; turn < lanes.length; turn++) {
      const at = (turn + round + counts.warmUp) % lanes.length;
      const lane = lanes[at];
      if (lane === undefined) continue;
      const sample = await work(lane);
      if (round >= 0) samples[at]?.push(sample);
    }
  }
  return samples;
}

async function compareOnes(version: string, lanes: readonly Lane[]): Promise<Table> {
  const samples = await takeTurns(lanes, { warmUp: warmUpRounds, measured: rounds }, (lane) =>
    lane.startOne(),
  );
  const base = samples[0]?.map(toWholeMs) ?? [];
  const pairUp = (mine: readonly number[], compare: (mine: number, base: number) => number) =>
    findMedian(mine.map((value, round) => compare(value, base[round] ?? Number.NaN)));
  return {
    title: `One container, containerd ${version}`,
    columns: ["plugin", "create ms", "start ms", "whole ms", "p90", "added ms", "ratio"],
    rows: lanes.map(({ name }, n) => {
      const mine = samples[n] ?? [];
      const whole = mine.map(toWholeMs);
      return [
        name,
        digits(findMedian(mine.map(({ createMs }) => createMs))),
        digits(findMedian(mine.map(({ startMs }) => startMs))),
        digits(findMedian(whole)),
        digits(findQuantile(whole, 0.9)),
        digits(pairUp(whole, (a, b) => a - b)),
        pairUp(whole, (a, b) => a / b).toFixed(2),
      ];
    }),
    notes: [
      `Through CRI: CreateContainer and StartContainer of a container in a pod that runs. Medians of ${rounds} rounds in turns; added, ratio: medians of the rounds' own differences and ratios of the whole, since the machine's speed changes while they run.`,
      '"none, again" is a second containerd without a plugin: its difference is that of two equal set-ups. "Empty program" is injected in place of the hook: the lower bound of a compiled program.',
    ],
  };
}

async function compareBursts(version: string, lanes: readonly Lane[]): Promise<Table> {
  const samples = await takeTurns(lanes, { warmUp: 1, measured: bursts }, (lane) =>
    lane.startMany(burstSize),
  );
  const base = samples[0]?.flat().map(toWholeMs) ?? [];
  return {
    title: `${burstSize} containers at once, containerd ${version}`,
    columns: ["plugin", "p50 ms", "p99 ms", "max ms", "p50 added", "p99 added", "p99 ratio"],
    rows: lanes.map(({ name }, n) => {
      const mine = (samples[n] ?? []).flat().map(toWholeMs);
      const [p50 = Number.NaN, p99 = Number.NaN, max = Number.NaN] = [0.5, 0.99, 1].map((q) =>
        findQuantile(mine, q),
      );
      return [
        name,
        ...[p50, p99, max].map(digits),
        digits(p50 - findQuantile(base, 0.5)),
        digits(p99 - findQuantile(base, 0.99)),
        (p99 / findQuantile(base, 0.99)).toFixed(2),
      ];
    }),
    notes: [
      `From each container's CreateContainer to the end of its StartContainer, ${bursts} bursts of each, in turns; containerd itself takes most of the time, and all share the machine's cores.`,
    ],
  };
}

async function benchRelease(release: ContainerdRelease): Promise<readonly Table[]> {
  const workspace = createWorkspace("ctb");
  try {
    const control = createAgentControl(workspace);
    await control.start();
    const lanes = [
      await openLane(workspace, release, "none"),
      await openLane(workspace, release, "none, again"),
      await openLane(workspace, release, "inject", { mode: "inject", control }),
      await openLane(workspace, release, "inject, empty program", {
        mode: "inject",
        control,
        hookPath: await buildEmptyProgram(workspace.dir),
      }),
      await openLane(workspace, release, "direct", { mode: "direct", control }),
    ];
    return [await compareOnes(release.version, lanes), await compareBursts(release.version, lanes)];
  } finally {
    await workspace.close();
  }
}

export async function benchContainerd(): Promise<readonly Table[]> {
  const tables: Table[] = [];
  for (const release of containerdReleases) tables.push(...(await benchRelease(release)));
  return tables;
}
