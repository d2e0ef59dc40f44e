// SPDX-License-Identifier: Apache-2.0
// How often an agent that has nothing to do is woken: each time costs a node's processor its sleep.
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../../../tests/harness/agent.ts";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import { createWorkspace, type Workspace } from "../../../tests/harness/workspace.ts";
import { findCgroupRoot } from "../cgroups.ts";
import { reportAll } from "../policies/agent-calls.ts";
import type { Table } from "../table.ts";
import { measureWakeUps } from "./wake-ups.ts";

/** RTHOOKS_IDLE_SECONDS: of each measurement. */
const seconds = Number(process.env["RTHOOKS_IDLE_SECONDS"] ?? 30);
/** Until the start's work is done and its garbage collected. */
const settleMs = 20_000;
const containers = 20;

interface Scenario {
  readonly name: string;
  readonly containers: number;
  toFlags(workspace: Workspace): readonly string[];
}

const scenarios: readonly Scenario[] = [
  { name: "without policies", containers: 0, toFlags: ({ path }) => ["--tracing-policy-dir", path("none")] },
  {
    name: "--pods-file and --tracing-policy-dir",
    containers: 0,
    toFlags(workspace) {
      const directory = workspace.path("policies");
      mkdirSync(directory);
      writeFileSync(join(directory, "a.json"), toPolicy("a"));
      writeFileSync(workspace.path("pods.json"), JSON.stringify({ kind: "List", items: [] }));
      return ["--pods-file", workspace.path("pods.json"), "--tracing-policy-dir", directory];
    },
  },
  {
    name: `the same with --enable-policy-filter and ${containers} containers`,
    containers,
    toFlags(workspace) {
      const flags = scenarios[1]?.toFlags(workspace) ?? [];
      const bpfDirectory = join(mountBpfFs(workspace), "tetragon");
      return [...flags, "--enable-policy-filter", "--bpf-dir", bpfDirectory];
    },
  },
];

const toPolicy = (name: string): string =>
  JSON.stringify({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  });

async function measure(scenario: Scenario): Promise<readonly string[]> {
  const workspace = createWorkspace("idle");
  try {
    const agent = await startAgent(workspace, { flags: scenario.toFlags(workspace) });
    const cgroups = makeCgroups(workspace, scenario.containers);
    const made = cgroups.map((cgroupPath, at) => ({ name: `c-${at}`, cgroupPath, labels: { app: "web" } }));
    if (made.length > 0) await reportAll(agent.socketPath, 1, made);
    await Bun.sleep(settleMs);
    const { all, main, runtime } = await measureWakeUps(agent.process.pid, seconds);
    await agent.stop();
    return [scenario.name, ...[all, main, all - main - runtime, runtime].map((rate) => rate.toFixed(1))];
  } finally {
    await workspace.close();
  }
}

/** Without processes. */
function makeCgroups(workspace: Workspace, count: number): readonly string[] {
  if (count === 0) return [];
  const parent = `/rthooks-${workspace.tag}`;
  const paths = [parent, ...Array.from({ length: count }, (_, at) => `${parent}/c-${at}`)];
  const root = findCgroupRoot();
  for (const path of paths) mkdirSync(root + path);
  workspace.onClose(() => {
    for (const path of paths.toReversed()) rmdirSync(root + path);
  });
  return paths.slice(1);
}

export async function benchIdle(): Promise<readonly Table[]> {
  const rows: (readonly string[])[] = [];
  for (const scenario of scenarios) rows.push(await measure(scenario));
  return [
    {
      title: "An idle agent",
      columns: ["agent", "wake-ups/s", "main thread", "helper threads", "of the JS engine"],
      rows,
      notes: [
        `Voluntary context switches of all threads over ${seconds} s, which begin ${settleMs / 1000} s after the start. Helper threads are those for file operations, parsing and maps.`,
      ],
    },
  ];
}
