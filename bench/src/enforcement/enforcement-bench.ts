// SPDX-License-Identifier: Apache-2.0
// What enforcement costs a process: without an agent, with one and nothing attached, where no policy is about the process'
// container, and where policies are about it and let it pass.
import { join } from "node:path";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import { buildBare } from "../../../tests/harness/build-bare.ts";
import { runInCgroup } from "../../../tests/harness/enter-cgroup.ts";
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import type { AgentProcess } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { reportAll } from "../policies/agent-calls.ts";
import { findMedian } from "../stats.ts";
import type { Table } from "../table.ts";
import { type Subject, writePolicies } from "./bench-policies.ts";
import { benchHeldCalls } from "./held-calls-bench.ts";
import { startEnforcing } from "./start-enforcing.ts";

/** RTHOOKS_ENFORCEMENT_ROUNDS: in each every scenario is measured once. */
const rounds = Number(process.env["RTHOOKS_ENFORCEMENT_ROUNDS"] ?? 20);
/** System calls, and how often each is made in a round. */
const loops = [
  ["getpid", 400_000],
  ["open", 40_000],
  ["connect", 80_000],
  ["exec", 300],
] as const;

interface Scenario {
  readonly name: string;
  /** Undefined: no agent. */
  readonly policies: { readonly count: number; readonly subject: Subject; readonly app: string } | undefined;
  /** Its row is compared with that one. */
  readonly against: number;
}

const calls = "system calls";
const others = "executions and connections";
const scenarios: readonly Scenario[] = [
  { name: "no agent", policies: undefined, against: 0 },
  {
    name: "agent, no policy on system calls",
    ...{ policies: { count: 1, subject: others, app: "other" }, against: 0 },
  },
  {
    name: "1 policy on mkdirat, of this container",
    ...{ policies: { count: 1, subject: "another system call", app: "own" }, against: 0 },
  },
  {
    name: "1 policy on openat and getpid, of another container",
    ...{ policies: { count: 1, subject: calls, app: "other" }, against: 0 },
  },
  {
    name: "127 policies, of another container",
    ...{ policies: { count: 127, subject: calls, app: "other" }, against: 3 },
  },
  { name: "1 policy, of this container", policies: { count: 1, subject: calls, app: "own" }, against: 0 },
  { name: "50 policies, of this container", policies: { count: 50, subject: calls, app: "own" }, against: 0 },
  {
    name: "50 on executions and connections, of this container",
    ...{ policies: { count: 50, subject: others, app: "own" }, against: 0 },
  },
];

export async function benchEnforcement(dir: string): Promise<readonly Table[]> {
  const workspace = createWorkspace("benchbpf");
  try {
    const bpfDir = join(mountBpfFs(workspace), "tetragon");
    const loop = buildBare(join(import.meta.dir, "loops.c"), dir);
    const policyDir = join(dir, "policies");
    const samples = scenarios.map(() => loops.map((): number[] => []));
    await withCgroups(findCgroupRoot(), ["c-1", "c-2"], async ([own = "", other = ""]) => {
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < scenarios.length; turn++) {
          // Each is the first of a round as often as the others.
          const row = (round + turn) % scenarios.length;
          const policies = scenarios[row]?.policies;
          let agent: AgentProcess | undefined;
          if (policies !== undefined) {
            writePolicies(policyDir, policies.count, policies.subject, policies.app);
            agent = await startEnforcing(dir, bpfDir, policyDir, policies.count);
            await reportAll(agent.socketPath, 1, [
              { name: "c-1", cgroupPath: own, labels: { app: "own" } },
              { name: "c-2", cgroupPath: other, labels: { app: "other" } },
            ]);
          }
          for (const [column, [kind, count]] of loops.entries()) {
            const { stdout, stderr } = runInCgroup(own, [loop, kind, String(count)]);
            if (stdout === "") throw new Error(`${kind}: ${stderr}`);
            samples[row]?.[column]?.push(Number(stdout));
          }
          await agent?.stop();
        }
      }
    });
    return [toTable(samples), await benchHeldCalls(dir, bpfDir)];
  } finally {
    await workspace.close();
  }
}

function toTable(samples: readonly (readonly (readonly number[])[])[]): Table {
  const cells = (row: number, against: number): readonly string[] =>
    loops.flatMap(([kind], column) => {
      const own = samples[row]?.[column] ?? [];
      const base = samples[against]?.[column] ?? [];
      const median = findMedian(own);
      const ratio = findMedian(own.map((value, round) => value / (base[round] ?? Number.NaN)));
      return [kind === "exec" ? (median / 1_000).toFixed(0) : median.toFixed(0), ratio.toFixed(2)];
    });
  return {
    title: "What enforcement costs a process",
    columns: [
      "process in",
      "getpid ns",
      "ratio",
      "open+close ns",
      "ratio",
      "connect ns",
      "ratio",
      "exec us",
      "ratio",
    ],
    rows: scenarios.map(({ name, against }, row) => [name, ...cells(row, against)]),
    notes: [
      `Processor time of one call, medians of ${rounds} interleaved rounds; a ratio is the median of the rounds' own ratios to the first row, in the row of 127 policies to the row above it. open: of /proc/version; connect: of a UDP socket; exec: of a static program, from fork to exit.`,
      "The agent is that of the build, started and stopped in each round. A policy on mkdirat compares a path. One on openat and getpid compares a path and a binary: these are two lists of arguments, whose programs are called by the one on each system call. None matches.",
    ],
  };
}
