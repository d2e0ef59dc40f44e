// SPDX-License-Identifier: Apache-2.0
// What policies in the kernel's maps cost, on a small node and on one with very many pods: 127 policies, each for 50
// containers.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { addPolicy, deletePolicy, type ReportedContainer, reportAll } from "./agent-calls.ts";
import { benchStorm } from "./storm-bench.ts";

const sizes = [100, 10_000];
const policies = 127;
const perPolicy = 50;
const samples = 400;
/** For the slowest of a hundred. */
const manySamples = 4000;
const connections = 16;

const yaml = (name: string, label: string): string =>
  JSON.stringify({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name },
    spec: { podSelector: { matchLabels: { [label]: "1" } } },
  });

/** Labels such that each policy is about 50 of the containers. */
function createLabels(size: number): readonly Readonly<Record<string, string>>[] {
  const labels = Array.from({ length: size }, (): Record<string, string> => ({ app: "web" }));
  for (let policy = 0; policy < policies; policy++) {
    for (let at = 0; at < perPolicy; at++) {
      const own = labels[(policy * perPolicy + at) % size];
      if (own !== undefined) own[`p${policy}`] = "1";
    }
  }
  return labels;
}

const readRssMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

interface Measured {
  readonly oneMs: number;
  readonly p99Ms: number;
  readonly labelMs: number;
  readonly addMs: number;
  readonly deleteMs: number;
  readonly backMs: number;
  readonly toldMs: number;
  readonly rssMb: number;
}

async function measure(dir: string, size: number): Promise<Measured> {
  const bpfFs = join(dir, `bpf-${size}`);
  const policyDir = join(dir, `tp-${size}`);
  for (const path of [bpfFs, policyDir]) mkdirSync(path);
  // One is left for what is added and deleted.
  for (let at = 0; at < policies - 1; at++)
    writeFileSync(join(policyDir, `p${at}.json`), yaml(`p${at}`, `p${at}`));
  const flags = ["--enable-policy-filter", "--bpf-dir", join(bpfFs, "t"), "--tracing-policy-dir", policyDir];
  const names = [
    ...Array.from({ length: size }, (_, at) => `c-${at}`),
    ...Array.from({ length: samples + manySamples }, (_, at) => `n-${at}`),
  ];
  const labels = createLabels(size);
  Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]);
  try {
    return await withCgroups(findCgroupRoot(), names, async (paths) => {
      const known = names.slice(0, size).map(
        (name, at): ReportedContainer => ({
          ...{ name, cgroupPath: paths[at] ?? "", labels: labels[at] ?? {} },
        }),
      );
      const fresh = names.slice(size).map(
        (name, at): ReportedContainer => ({
          ...{ name, cgroupPath: paths[size + at] ?? "", labels: { app: "web", p5: "1" } },
        }),
      );
      const first = await startAgent(dir, flags);
      const { socketPath } = first;
      await reportAll(socketPath, connections, known);
      const rssMb = readRssMb(first.pid);
      const alone = await reportAll(socketPath, 1, fresh.slice(0, samples));
      const together = await reportAll(socketPath, connections, fresh.slice(samples));
      const changed = fresh
        .slice(0, samples)
        .map((container) => ({ ...container, labels: { app: "web", p6: "1" } }));
      const relabelled = await reportAll(socketPath, 1, changed);
      const added: number[] = [];
      const deleted: number[] = [];
      for (let at = 0; at < 20; at++) {
        added.push(await addPolicy(socketPath, yaml("late", `p${policies - 1}`)));
        deleted.push(await deletePolicy(socketPath, "late"));
      }
      await first.kill();
      const killedNs = Bun.nanoseconds();
      const second = await startAgent(dir, flags);
      const backMs = (Bun.nanoseconds() - killedNs) / 1e6;
      await reportAll(second.socketPath, connections, known);
      const toldMs = (Bun.nanoseconds() - killedNs) / 1e6;
      await second.stop();
      return {
        ...{ oneMs: findMedian(alone), p99Ms: findQuantile(together, 0.99), labelMs: findMedian(relabelled) },
        ...{ addMs: findMedian(added), deleteMs: findMedian(deleted), backMs, toldMs, rssMb },
      };
    });
  } finally {
    Bun.spawnSync(["umount", bpfFs]);
  }
}

export async function benchPolicies(dir: string): Promise<readonly Table[]> {
  const measured: Measured[] = [];
  for (const size of sizes) measured.push(await measure(dir, size));
  const row = (name: string, pick: (one: Measured) => number): readonly string[] => {
    const [small = Number.NaN, large = Number.NaN] = measured.map(pick);
    return [name, small.toFixed(2), large.toFixed(2), (large / small).toFixed(2)];
  };
  return [
    {
      title: `${policies} policies, each for ${perPolicy} containers`,
      columns: ["what", ...sizes.map((size) => `${size} pods`), "ratio"],
      rows: [
        row("RuntimeHook for a new container, ms", ({ oneMs }) => oneMs),
        row(`the same, p99 with ${connections} connections, ms`, ({ p99Ms }) => p99Ms),
        row("RuntimeHook with other labels than before, ms", ({ labelMs }) => labelMs),
        row("a policy added, ms", ({ addMs }) => addMs),
        row("a policy deleted, ms", ({ deleteMs }) => deleteMs),
        row("killed agent listens again, maps adopted, ms", ({ backMs }) => backMs),
        row("and has every container reported again, ms", ({ toldMs }) => toldMs),
        row("resident memory of the agent, MB", ({ rssMb }) => rssMb),
      ],
      notes: [
        `Medians of ${samples} calls (policies: 20), with one connection unless stated otherwise, p99 of ${manySamples}; real maps on a bpf file system of the bench's own. A new container is in one policy. The client runs on the same cores, and takes some 40 µs of them for a call.`,
      ],
    },
    await benchStorm(dir),
  ];
}
