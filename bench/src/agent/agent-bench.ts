// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { findMedian } from "../stats.ts";
import type { Table } from "../table.ts";
import { findProgram } from "../workspace.ts";
import { type AgentProcess, startAgent } from "./agent-process.ts";
import { type Findings, type Orders, parseFindings } from "./orders.ts";

const repeats = 3;
const seconds = 2;
/** New containers of one measurement; each has a cgroup directory of its own. */
const distinct = 6_000;

interface Load {
  readonly name: string;
  readonly client: Orders["client"];
  readonly connections: number;
  readonly kind: "same" | "distinct";
  /** `tetragon watch` follows the changes. */
  readonly isWatched?: boolean;
}

const loads: readonly Load[] = [
  { name: "the same container again", client: "frames", connections: 1, kind: "same" },
  { name: "the same container again", client: "frames", connections: 16, kind: "same" },
  { name: "the same container again", client: "grpc-js", connections: 1, kind: "same" },
  { name: "the same container again", client: "grpc-js", connections: 16, kind: "same" },
  { name: "a new container each time", client: "frames", connections: 1, kind: "distinct" },
  { name: "a new container each time", client: "frames", connections: 16, kind: "distinct" },
  {
    ...{ name: "a new container each time, with one tetragon watch", client: "frames", connections: 16 },
    ...{ kind: "distinct", isWatched: true },
  },
  { name: "a new container each time", client: "grpc-js", connections: 16, kind: "distinct" },
];

interface Measurement {
  readonly callsPerSecond: number;
  readonly clientMicros: number;
  readonly agentMicros: number;
}

// proc_pid_stat(5): utime and stime are fields 14 and 15, in ticks of 10 ms; the name may hold spaces.
function readCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function generate(orders: Orders): Promise<Findings> {
  const child = Bun.spawn(
    [process.execPath, Bun.fileURLToPath(import.meta.resolve("./load-generator.ts")), JSON.stringify(orders)],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`the load generator failed: ${errors}`);
  return parseFindings(output);
}

async function measure(agent: AgentProcess, orders: Orders): Promise<Measurement> {
  const cpuBefore = readCpuMs(agent.pid);
  const { calls, elapsedMs, cpuMs } = await generate(orders);
  return {
    callsPerSecond: (calls / elapsedMs) * 1_000,
    clientMicros: (cpuMs / calls) * 1_000,
    agentMicros: ((readCpuMs(agent.pid) - cpuBefore) / calls) * 1_000,
  };
}

async function startWatch(dir: string, { socketPath }: AgentProcess): Promise<void> {
  const output = Bun.file(join(dir, "watch.txt"));
  await Bun.write(output, "");
  const child = Bun.spawn([findProgram("tetragon"), "watch", "--server-address", `unix://${socketPath}`], {
    ...{ stdin: "ignore", stdout: output, stderr: "ignore" },
  });
  while ((await Bun.file(join(dir, "watch.txt")).text()) === "") await Bun.sleep(5);
  watches.push(child);
}

const watches: Bun.Subprocess[] = [];

async function runLoad(dir: string, cgroupRoot: string, load: Load): Promise<Measurement> {
  const { client, connections, kind, isWatched = false } = load;
  const count = kind === "same" ? 1 : distinct;
  const names = Array.from({ length: count }, (_, n) => `container-${n}`);
  return await withCgroups(cgroupRoot, ["warm-0", ...names], async ([warm = "", first = ""]) => {
    const agent = await startAgent(dir);
    try {
      // A node's agent has run for long: its code is compiled by then.
      const { socketPath } = agent;
      const warmUp = { connections, containers: 1, socketPath, cgroupPrefix: warm.slice(0, -1), seconds: 1 };
      await generate({ ...warmUp, client: "frames" });
      if (isWatched) await startWatch(dir, agent);
      return await measure(agent, {
        ...{ client, socketPath, connections, cgroupPrefix: first.slice(0, -1), containers: count },
        ...(kind === "same" ? { seconds } : {}),
      });
    } finally {
      for (const watch of watches.splice(0)) watch.kill();
      await agent.stop();
    }
  });
}

export async function benchAgent(dir: string): Promise<readonly Table[]> {
  const cgroupRoot = findCgroupRoot();
  const results = loads.map((): Measurement[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [n, load] of loads.entries()) results[n]?.push(await runLoad(dir, cgroupRoot, load));
  }
  const median = (n: number, pick: (measurement: Measurement) => number) =>
    findMedian((results[n] ?? []).map(pick)).toFixed(0);
  return [
    {
      title: "RuntimeHook calls of the agent",
      columns: ["call", "client", "connections", "calls/s", "agent CPU µs", "client CPU µs"],
      rows: loads.map(({ name, client, connections }, n) => [
        ...[name, client, String(connections)],
        median(n, ({ callsPerSecond }) => callsPerSecond),
        median(n, ({ agentMicros }) => agentMicros),
        median(n, ({ clientMicros }) => clientMicros),
      ]),
      notes: [
        `Medians of ${repeats} runs, in turns, each with an agent of its own that was called for 1 s before; ${seconds} s of calls, or ${distinct} new containers with a cgroup directory each. One call is in flight on each connection; CPU is per call.`,
        "The load comes from one process on the same cores. `frames` writes prepared HTTP/2 frames and is the cheapest correct client; `grpc-js` is the usual client; it needs more CPU time than the agent and limits the figure.",
      ],
    },
  ];
}
