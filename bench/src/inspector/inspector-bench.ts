// SPDX-License-Identifier: Apache-2.0
// What the inspector costs a RuntimeHook call: agents without and with it are called in turns.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { type AgentProcess, startAgent } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { type ReportedContainer, reportAll } from "../policies/agent-calls.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";

/** RTHOOKS_INSPECTOR_ROUNDS */
const rounds = Number(process.env["RTHOOKS_INSPECTOR_ROUNDS"] ?? 60);
const warmUpRounds = 10;
const perRound = 40;
/** Between two calls: 200 starts a second, far more than a node has. */
const pauseMs = 5;
/** After the calls of a round, until the agent has written and sent what it noted. */
const settleMs = 150;
const address = "127.0.0.1:0";

interface Variant {
  readonly name: string;
  readonly hasInspector: boolean;
  readonly clients: number;
}

const variants: readonly Variant[] = [
  { name: "off", hasInspector: false, clients: 0 },
  { name: "off, another agent", hasInspector: false, clients: 0 },
  { name: "on, no client", hasInspector: true, clients: 0 },
  { name: "on, one client", hasInspector: true, clients: 1 },
];

interface Round {
  readonly medianMs: number;
  readonly slowMs: number;
  readonly cpuMicros: number;
}

/** Nanoseconds on a processor of all threads; the first number of schedstat (Documentation/scheduler/sched-stats). */
function readCpuNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, id) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      return sum; // The thread ended.
    }
  }, 0);
}

async function measure(agent: AgentProcess, containers: readonly ReportedContainer[]): Promise<Round> {
  const times: number[] = [];
  const beforeNs = readCpuNs(agent.pid);
  for (const container of containers) {
    times.push(...(await reportAll(agent.socketPath, 1, [container])));
    await setTimeout(pauseMs);
  }
  await setTimeout(settleMs);
  const cpuMicros = (readCpuNs(agent.pid) - beforeNs) / 1e3 / containers.length;
  return { medianMs: findMedian(times), slowMs: findQuantile(times, 0.9), cpuMicros };
}

/** Resolves when the client has its first message. */
async function connect(inspectorAddress: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${inspectorAddress}/?after=0`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("message", resolve, { once: true });
    socket.addEventListener("error", reject);
  });
  return socket;
}

export async function benchInspector(dir: string): Promise<readonly Table[]> {
  const root = findCgroupRoot();
  const results = variants.map((): Round[] => []);
  const agents: AgentProcess[] = [];
  const sockets: WebSocket[] = [];
  try {
    for (const { hasInspector, clients } of variants) {
      const agent = await startAgent(dir, hasInspector ? ["--inspect-address", address] : []);
      agents.push(agent);
      for (let at = 0; at < clients; at++) sockets.push(await connect(await agent.inspectorAddress()));
    }
    for (let round = -warmUpRounds; round < rounds; round++) {
      const names = Array.from(
        { length: perRound },
        (_, at) => `c-${(round + warmUpRounds) * perRound + at}`,
      );
      await withCgroups(root, names, async (paths) => {
        const containers = names.map((name, at) => ({ name, cgroupPath: paths[at] ?? "", labels: {} }));
        for (let turn = 0; turn < variants.length; turn++) {
          // Each is first, second, … equally often.
          const at = (turn + round + warmUpRounds) % variants.length;
          const agent = agents[at];
          if (agent === undefined) continue;
          const measured = await measure(agent, containers);
          if (round >= 0) results[at]?.push(measured);
        }
      });
    }
  } finally {
    for (const socket of sockets) socket.close();
    for (const agent of agents) await agent.stop();
  }
  return [renderResults(results)];
}

function renderResults(results: readonly (readonly Round[])[]): Table {
  const ratio = (at: number, pick: (round: Round) => number): string => {
    const ratios = (results[at] ?? []).map((round, n) => pick(round) / pick(results[0]?.[n] ?? round));
    return findMedian(ratios).toFixed(2);
  };
  const median = (at: number, pick: (round: Round) => number): number =>
    findMedian((results[at] ?? []).map(pick));
  return {
    title: "The inspector",
    columns: ["inspector", "call ms", "ratio", "p90 ms", "ratio", "agent CPU µs", "ratio"],
    rows: variants.map(({ name }, at) => [
      name,
      median(at, ({ medianMs }) => medianMs).toFixed(2),
      ratio(at, ({ medianMs }) => medianMs),
      median(at, ({ slowMs }) => slowMs).toFixed(2),
      ratio(at, ({ slowMs }) => slowMs),
      median(at, ({ cpuMicros }) => cpuMicros).toFixed(0),
      ratio(at, ({ cpuMicros }) => cpuMicros),
    ]),
    notes: [
      `RuntimeHook calls for new containers, each over a connection of its own and ${pauseMs} ms after the one before. Medians of ${rounds} rounds, in each of which all four agents have ${perRound} calls, in turns; a ratio is the median of the rounds' own ratios to the first line.`,
      "CPU time is of all threads of the agent for a call, with the connection, and with what the inspector writes and sends afterwards.",
    ],
  };
}
