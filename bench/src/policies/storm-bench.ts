// SPDX-License-Identifier: Apache-2.0
// What hook calls wait for while a policy with as many workload selectors as the maps take is deleted and added five times a
// second.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { addPolicy, deletePolicy, type ReportedContainer, reportAll } from "./agent-calls.ts";

const known = 500;
const selectors = 125;
const rounds = 40;
const perRound = 25;
const roundMs = 200;

type Storm = (round: number) => object;
const storms: readonly (readonly [name: string, toSelector: Storm | undefined])[] = [
  ["no policy changes", undefined],
  ["its selectors match no container", (at) => ({ matchLabels: { x: `${at}` } })],
  [
    `its selectors match all of ${known}`,
    (at) => ({ matchExpressions: [{ key: "x", operator: "NotIn", values: [`${at}`] }] }),
  ],
];

const toYaml = (toSelector: Storm, round: number): string =>
  JSON.stringify({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "storm" },
    spec: {
      kprobes: Array.from({ length: selectors / 5 }, (_, hook) => ({
        call: "sys_write",
        syscall: true,
        selectors: Array.from({ length: 5 }, (_, at) => ({
          matchWorkloads: { podSelector: toSelector(round * 1000 + hook * 5 + at) },
        })),
      })),
    },
  });

async function measure(dir: string, at: number, storm: Storm | undefined): Promise<readonly number[]> {
  const bpfFs = join(dir, `storm-${at}`);
  mkdirSync(bpfFs);
  Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]);
  const flags = ["--enable-policy-filter", "--bpf-dir", join(bpfFs, "t"), "--tracing-policy-dir", bpfFs];
  const names = Array.from({ length: known + rounds * perRound }, (_, number) =>
    number < known ? `c-${number}` : `n-${number}`,
  );
  try {
    return await withCgroups(findCgroupRoot(), names, async (paths) => {
      const containers = names.map(
        (name, number): ReportedContainer => ({
          name,
          cgroupPath: paths[number] ?? "",
          labels: { app: "web" },
        }),
      );
      const agent = await startAgent(dir, flags);
      await reportAll(agent.socketPath, 4, containers.slice(0, known));
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const began = Bun.nanoseconds();
        const changing = change(agent.socketPath, storm, round);
        const from = known + round * perRound;
        for (const container of containers.slice(from, from + perRound)) {
          times.push(...(await reportAll(agent.socketPath, 1, [container])));
          await Bun.sleep(roundMs / perRound / 2);
        }
        await changing;
        await Bun.sleep(Math.max(0, roundMs - (Bun.nanoseconds() - began) / 1e6));
      }
      await agent.stop();
      return times;
    });
  } finally {
    Bun.spawnSync(["umount", bpfFs]);
  }
}

async function change(socketPath: string, storm: Storm | undefined, round: number): Promise<void> {
  if (storm === undefined) return;
  if (round > 0) await deletePolicy(socketPath, "storm");
  await addPolicy(socketPath, toYaml(storm, round));
}

export async function benchStorm(dir: string): Promise<Table> {
  const rows: (readonly string[])[] = [];
  for (const [at, [name, storm]] of storms.entries()) {
    const times = await measure(dir, at, storm);
    const cells = [findMedian(times), findQuantile(times, 0.99), Math.max(...times)];
    rows.push([name, ...cells.map((ms) => ms.toFixed(1))]);
  }
  return {
    title: `RuntimeHook while a policy of ${selectors} selectors is deleted and added`,
    columns: ["what", "p50 ms", "p99 ms", "max ms"],
    rows,
    notes: [
      `${rounds * perRound} new containers, each with a connection of its own, on a node with ${known}; a change at a time, at most ${1000 / roundMs} in a second.`,
    ],
  };
}
