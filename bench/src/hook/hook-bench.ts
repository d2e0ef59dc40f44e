// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { buildEmptyProgram } from "../empty-program.ts";
import { type Command, measureInterleaved, measurePeakMb } from "../interleave.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { findProgram } from "../workspace.ts";
import { writeContainer } from "./container.ts";

const rounds = 150;
const memoryRounds = 11;
const burstSize = 100;
const bursts = 5;

/** The environment of the hook configuration that `tetragon-oci-hook-setup install` writes. */
const installedEnv = { BUN_JSC_useWarmUpMarkedBlocks: "0" };

const digits = (value: number) => value.toFixed(2);

/** The hook's ways through, each against the empty program of its own round. */
function compare(commands: readonly Command[]): Table {
  const samples = measureInterleaved(commands, rounds);
  const base = samples[0];
  const basePeak = findMedian(measurePeakMb(commands[0] ?? fail("no command"), memoryRounds));
  const ratioTo = (mine: readonly number[], theirs: readonly number[] | undefined) =>
    digits(findMedian(mine.map((value, n) => value / (theirs?.[n] ?? Number.NaN))));
  return {
    title: "One hook",
    columns: ["program", "wall ms", "p90", "ratio", "CPU ms", "ratio", "peak MB", "ratio"],
    rows: commands.map((command, n) => {
      const { wallMs = [], cpuMs = [] } = samples[n] ?? {};
      const peak = n === 0 ? basePeak : findMedian(measurePeakMb(command, memoryRounds));
      return [
        command.name,
        ...[digits(findMedian(wallMs)), digits(findQuantile(wallMs, 0.9)), ratioTo(wallMs, base?.wallMs)],
        ...[digits(findMedian(cpuMs)), ratioTo(cpuMs, base?.cpuMs)],
        ...[peak.toFixed(1), digits(peak / basePeak)],
      ];
    }),
    notes: [
      `Medians of ${rounds} interleaved rounds (memory: ${memoryRounds}); a ratio is the median of the rounds' own ratios.`,
      "As installed: with the environment of the hook configuration that `tetragon-oci-hook-setup install` writes.",
      "In the rows without an agent the hook stops waiting after 1 ms, so that they measure the fail check and not the wait.",
    ],
  };
}

function fail(message: string): never {
  throw new Error(message);
}

async function runBurst({ argv, stdinPath, exitCode }: Command): Promise<readonly number[]> {
  return await Promise.all(
    Array.from({ length: burstSize }, async () => {
      const startedNs = Bun.nanoseconds();
      const child = Bun.spawn([...argv], {
        cwd: "/",
        env: {},
        stdin: Bun.file(stdinPath),
        stdout: "ignore",
        stderr: "ignore",
      });
      if ((await child.exited) !== exitCode) throw new Error("a hook of the burst failed");
      return (Bun.nanoseconds() - startedNs) / 1e6;
    }),
  );
}

async function compareBursts(commands: readonly Command[]): Promise<Table> {
  const samples = commands.map((): number[] => []);
  for (let burst = -1; burst < bursts; burst++) {
    for (const [n, command] of commands.entries()) {
      const wallMs = await runBurst(command);
      if (burst >= 0) samples[n]?.push(...wallMs);
    }
  }
  const base = samples[0] ?? [];
  return {
    title: `${burstSize} hooks at once`,
    columns: ["program", "p50 ms", "p99 ms", "max ms", "p50 ratio", "p99 ratio"],
    rows: commands.map(({ name }, n) => {
      const mine = samples[n] ?? [];
      const at = [0.5, 0.99, 1].map((q) => findQuantile(mine, q));
      const ratios = [0.5, 0.99].map((q) => findQuantile(mine, q) / findQuantile(base, q));
      return [name, ...[...at, ...ratios].map(digits)];
    }),
    notes: [
      `From the start of each process to its end, ${bursts} bursts of each, in turns; all processes share the machine's cores.`,
    ],
  };
}

export async function benchHook(dir: string): Promise<readonly Table[]> {
  const empty = await buildEmptyProgram(dir);
  // Both files are as old: what a start costs depends on how long the kernel has had a file in its cache.
  const hook = join(dir, "tetragon-oci-hook");
  copyFileSync(findProgram("tetragon-oci-hook"), hook);
  const root = findCgroupRoot();
  const agent = await startAgent(dir);
  try {
    return await withCgroups(root, ["c1"], async ([cgroup = ""]) => {
      await using stack = new AsyncDisposableStack();
      const contained = Bun.spawn(["/bin/sleep", "3600"]);
      stack.defer(async () => {
        contained.kill("SIGKILL");
        await contained.exited;
      });
      writeFileSync(join(root, cgroup, "cgroup.procs"), String(contained.pid));
      const inCgroup = { cgroupsPath: cgroup, pid: contained.pid };
      const shop = writeContainer(dir, { name: "shop", namespace: "shop", ...inCgroup });
      const system = writeContainer(dir, { name: "system", namespace: "kube-system", ...inCgroup });
      const log = ["--log-fname", join(dir, "hook.log")];
      const absent = [
        ...["--grpc-address", `unix://${join(dir, "absent.sock")}`],
        ...["--grpc-timeout", "1ms", "--grpc-timeout-allowed", "1ms"],
      ];
      const command = (name: string, state: string, exitCode: number, flags: readonly string[]): Command => ({
        name,
        argv: [hook, "createRuntime", ...log, ...flags],
        stdinPath: state,
        exitCode,
      });
      const baseline: Command = {
        name: "empty compiled program",
        argv: [empty],
        stdinPath: shop,
        exitCode: 0,
      };
      const success = command("hook, agent answers", shop, 0, [
        "--grpc-address",
        `unix://${agent.socketPath}`,
      ]);
      // First, so that the agent has then answered some hundred calls, as one on a node has.
      const burst = await compareBursts([baseline, success]);
      const one = compare([
        baseline,
        success,
        { ...success, name: "the same, as installed", env: installedEnv },
        command("no agent, denied", shop, 1, absent),
        command("no agent, allowed by namespace", system, 0, absent),
        command("no agent, allowed by pattern", shop, 0, [
          ...absent,
          "--fail-allow-namespaces-regex",
          "^shop$",
        ]),
        command("no agent, allowed by CEL", shop, 0, [...absent, "--fail-cel-expr", "false"]),
      ]);
      return [one, burst];
    });
  } finally {
    await agent.stop();
  }
}
