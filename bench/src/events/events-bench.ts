// SPDX-License-Identifier: Apache-2.0
// How many events a second come from the kernel's ring buffer into the export file, and whether those that do not are counted.
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import { buildBare } from "../../../tests/harness/build-bare.ts";
import { runInCgroup } from "../../../tests/harness/enter-cgroup.ts";
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { writePolicies } from "../enforcement/bench-policies.ts";
import { startEnforcing } from "../enforcement/start-enforcing.ts";
import { reportAll } from "../policies/agent-calls.ts";
import type { Table } from "../table.ts";

/** Events a millisecond; 0: as fast as one process makes them. */
const rates = [10, 25, 50, 75, 100, 0];
const seconds = 10;
/** Without a rate. */
const many = 2_000_000;
/** Without a line for so long, all that will come has come. */
const quietMs = 3_000;

interface Result {
  readonly rate: number;
  readonly made: number;
  readonly madeMs: number;
  readonly written: number;
  readonly countedLost: number;
}

export async function benchEvents(dir: string): Promise<readonly Table[]> {
  const workspace = createWorkspace("benchevents");
  const results: Result[] = [];
  try {
    const loop = buildBare(join(import.meta.dir, "..", "enforcement", "loops.c"), dir);
    const bpfDir = join(mountBpfFs(workspace), "tetragon");
    writePolicies(join(dir, "policies"), 1, "posted connections", "own");
    await withCgroups(findCgroupRoot(), ["c-1"], async ([own = ""]) => {
      for (const rate of rates) {
        const file = join(dir, "events.json");
        const metrics = join(dir, "metrics.sock");
        const agent = await startEnforcing(dir, bpfDir, join(dir, "policies"), 1, [
          ...["--export-filename", file, "--export-file-max-size-mb", "100000"],
          ...["--metrics-server", `unix://${metrics}`],
        ]);
        await reportAll(agent.socketPath, 1, [{ name: "c-1", cgroupPath: own, labels: { app: "own" } }]);
        const made = rate === 0 ? many : rate * 1_000 * seconds;
        const startedMs = performance.now();
        const { stdout, stderr } = runInCgroup(own, [loop, "connect", String(made), String(rate)]);
        if (stdout === "") throw new Error(stderr);
        const madeMs = performance.now() - startedMs;
        await waitUntilQuiet(file);
        results.push({
          rate,
          made,
          madeMs,
          written: await countLines(file),
          countedLost: await readLost(metrics),
        });
        await agent.stop();
        rmSync(file);
      }
    });
  } finally {
    await workspace.close();
  }
  return [toTable(results)];
}

async function waitUntilQuiet(file: string): Promise<void> {
  for (let size = -1; size !== Bun.file(file).size; ) {
    size = Bun.file(file).size;
    await Bun.sleep(quietMs);
  }
}

async function countLines(file: string): Promise<number> {
  const lines = createInterface({ input: createReadStream(file, { highWaterMark: 1 << 22 }) });
  let count = 0;
  // In whole lines: what is looked for may be in two pieces of the file.
  for await (const line of lines) if (line.includes('"process_kprobe":')) count++;
  return count;
}

/** Events that the agent says are lost, wherever that happened. */
async function readLost(socketPath: string): Promise<number> {
  const text = await (await fetch("http://agent/metrics", { unix: socketPath })).text();
  const values = [...text.matchAll(/^tetragon_\w*(?:lost|missed|dropped)\w*(?:\{[^}]*\})? (\d+)/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

function toTable(results: readonly Result[]): Table {
  return {
    title: "Events from the kernel to the export file",
    columns: ["events/s", "made", "made/s", "written", "lost", "counted as lost"],
    rows: results.map(({ rate, made, madeMs, written, countedLost }) => [
      rate === 0 ? "as many as possible" : String(rate * 1_000),
      ...[made, Math.round(made / (madeMs / 1_000)), written, made - written, countedLost].map(String),
    ]),
    notes: [
      `A process of a container connects a UDP socket again and again for ${seconds} s; a policy posts each connection (process_kprobe), and the agent writes a JSON line for it. The process runs on the same two cores.`,
    ],
  };
}
