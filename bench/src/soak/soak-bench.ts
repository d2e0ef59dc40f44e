// SPDX-License-Identifier: Apache-2.0
// What the agent and the plugin hold after very many containers, in waves that are all removed. What grows with the number
// of containers that are gone is a leak.
import { containerdReleases } from "../../../tests/harness/containerd-release.ts";
import { createWorkspace, type Workspace } from "../../../tests/harness/workspace.ts";
import type { Table } from "../table.ts";
import { openCallsLane } from "./calls-lane.ts";
import { openNriLane } from "./nri-lane.ts";
import { readProcessUsage } from "./process-usage.ts";
import { openRuncLane } from "./runc-lane.ts";
import { countMapEntries, type SoakLane } from "./soak-lane.ts";

/** RTHOOKS_SOAK_CONTAINERS: of each lane in which a runtime starts them. */
const containers = Number(process.env["RTHOOKS_SOAK_CONTAINERS"] ?? 3_000);
const ofRuntime: Plan = { total: containers, waveSize: 100 };
const ofCalls: Plan = { total: 10 * containers, waveSize: 1_000 };
/** A wave after each of which the processes are looked at, as a share of all. */
const looks = [0.1, 0.25, 0.5, 0.75, 1];
/** JavaScriptCore collects what it can when a process has nothing to do, step by step. */
const settleMs = 60_000;
const forgetMs = 60_000;

interface Plan {
  readonly total: number;
  readonly waveSize: number;
}

interface Moment {
  readonly name: string;
  readonly known: number;
  readonly mapEntries: number;
  readonly usage: readonly ReturnType<typeof readProcessUsage>[];
}

async function look(lane: SoakLane, name: string): Promise<Moment> {
  return {
    name,
    known: await lane.countKnown(),
    mapEntries: countMapEntries(lane),
    usage: Object.values(lane.pids).map(readProcessUsage),
  };
}

/** Until the agent has forgotten what was removed, or for as long as it may take at most: then the table shows it. */
async function waitUntilForgotten(lane: SoakLane): Promise<void> {
  const deadline = performance.now() + forgetMs;
  while (performance.now() < deadline && ((await lane.countKnown()) > 0 || countMapEntries(lane) > 0)) {
    await Bun.sleep(100);
  }
}

async function soak(lane: SoakLane, plan: Plan): Promise<Table> {
  const { total, waveSize } = plan;
  const moments = [await look(lane, "before the first")];
  let peak: Moment | undefined;
  for (let made = 0; made < total; ) {
    const wave = Math.min(waveSize, total - made);
    await lane.start(wave);
    made += wave;
    const full = await look(lane, `the fullest: ${wave} run`);
    // Held and known, or this measures nothing.
    if (full.mapEntries !== 2 * wave) throw new Error(`${lane.name}: ${wave} run, ${JSON.stringify(full)}`);
    const memory = ({ usage }: Moment): number => usage[0]?.anonymousMb ?? 0;
    if (peak === undefined || memory(full) > memory(peak)) peak = full;
    await lane.remove();
    await waitUntilForgotten(lane);
    const isLookedAt = looks.some((share) => share * total > made - wave && share * total <= made);
    if (isLookedAt) moments.push(await look(lane, `${made} made and removed`));
  }
  if (peak !== undefined) moments.push(peak);
  await Bun.sleep(settleMs);
  moments.push(await look(lane, "a minute later"));
  return renderSoak(lane, plan, moments);
}

function renderSoak(lane: SoakLane, { total, waveSize }: Plan, moments: readonly Moment[]): Table {
  const names = Object.keys(lane.pids);
  return {
    title: `Soak: ${total} containers, ${lane.name}`,
    columns: [
      ...["moment", "known", "map entries"],
      ...names.flatMap((name) => [`${name} MB`, "descriptors", "watches", "threads"]),
    ],
    rows: moments.map(({ name, known, mapEntries, usage }) => [
      ...[name, String(known), String(mapEntries)],
      ...usage.flatMap(({ anonymousMb, descriptors, watches, threads }) => [
        anonymousMb.toFixed(1),
        ...[descriptors, watches, threads].map(String),
      ]),
    ]),
    notes: [
      `In waves of ${waveSize}: each is started, found in the maps of two policies, removed, and forgotten by the agent before the next. Memory is resident and anonymous (RssAnon); watches are those of inotify.`,
    ],
  };
}

async function soakLane(plan: Plan, open: (workspace: Workspace) => Promise<SoakLane>): Promise<Table> {
  const workspace = createWorkspace("soak");
  try {
    return await soak(await open(workspace), plan);
  } finally {
    await workspace.close();
  }
}

export async function benchSoak(): Promise<readonly Table[]> {
  const [older, newer] = containerdReleases;
  if (older === undefined || newer === undefined) throw new Error("two containerds are needed");
  return [
    await soakLane(ofCalls, openCallsLane),
    await soakLane(ofRuntime, openRuncLane),
    await soakLane(ofRuntime, (workspace) => openNriLane(workspace, older, "inject")),
    await soakLane(ofRuntime, (workspace) => openNriLane(workspace, newer, "direct")),
  ];
}
