// SPDX-License-Identifier: Apache-2.0
// What the programs in the kernel cost a process: one that no rule is about, and one that rules are about and let pass.
import { join } from "node:path";
import { type KernelRule, openProgramSet, openRuleMaps, type ProgramSet, type RuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import { readCgroupId } from "../../../tests/harness/cgroup.ts";
import { runInCgroup } from "../../../tests/harness/enter-cgroup.ts";
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import { buildBare } from "../build-bare.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { findMedian } from "../stats.ts";
import type { Table } from "../table.ts";

/** RTHOOKS_ENFORCEMENT_ROUNDS: in each every scenario is measured once. */
const rounds = Number(process.env["RTHOOKS_ENFORCEMENT_ROUNDS"] ?? 60);
const programs = ["kill_exec", "connect_ipv4", "connect_ipv6", "send_ipv4", "send_ipv6"];
/** System calls, and how often each is made in a round. */
const loops = [
  ["getpid", 200_000],
  ["open", 20_000],
  ["connect", 40_000],
  ["exec", 200],
] as const;
/** The container's root cgroup is below that of the bench. */
const LEVEL = 2;

interface Scenario {
  readonly name: string;
  readonly isAttached: boolean;
  /** Of the container of the measured process; undefined for a process in none. */
  readonly ownRules: number | undefined;
  /** Of another container. */
  readonly otherRules: number;
}

const scenarios: readonly Scenario[] = [
  { name: "nothing attached", isAttached: false, ownRules: undefined, otherRules: 0 },
  { name: "in no container", isAttached: true, ownRules: undefined, otherRules: 1 },
  { name: "in no container, 127 rules of others", isAttached: true, ownRules: undefined, otherRules: 127 },
  { name: "in a container without rules", isAttached: true, ownRules: 0, otherRules: 1 },
  { name: "in a container with 1 rule of each kind", isAttached: true, ownRules: 2, otherRules: 0 },
  { name: "in a container with 50 rules", isAttached: true, ownRules: 50, otherRules: 0 },
];

/** About what the loops do not: another path, another address. */
const toRule = (number: number): KernelRule =>
  number % 2 === 0
    ? {
        ...{ kind: "exec", paths: [{ path: `/opt/tool-${number}`, match: "exact" }] },
        ...{ isNegated: false, denies: true },
      }
    : {
        ...{ kind: "connect", addresses: [`10.0.${number}.0/24`], isNegated: false, ports: [] },
        ...{ sockets: "all", denies: true },
      };

function must<T, E>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export async function benchEnforcement(dir: string): Promise<readonly Table[]> {
  const workspace = createWorkspace("benchbpf");
  const root = findCgroupRoot();
  try {
    const directory = join(mountBpfFs(workspace), "enforcement");
    const set = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: root }));
    workspace.onClose(() => {
      for (const name of programs) set.detach(name);
      set.close();
    });
    const loop = buildBare(join(import.meta.dir, "loops.c"), dir);
    const samples = scenarios.map(() => loops.map((): number[] => []));
    await withCgroups(root, ["own", "other"], async ([own = "", other = ""]) => {
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < scenarios.length; turn++) {
          // Each is the first of a round as often as the others.
          const row = (round + turn) % scenarios.length;
          const scenario = scenarios[row];
          if (scenario === undefined) continue;
          prepare(set, scenario, own, other);
          for (const [column, [kind, count]] of loops.entries()) {
            const { stdout, stderr } = runInCgroup(own, [loop, kind, String(count)]);
            if (stdout === "") throw new Error(`${kind}: ${stderr}`);
            samples[row]?.[column]?.push(Number(stdout));
          }
        }
      }
    });
    return [toTable(samples)];
  } finally {
    await workspace.close();
  }
}

function prepare(set: ProgramSet, scenario: Scenario, own: string, other: string): void {
  const maps = must(openRuleMaps(set));
  for (const rule of maps.active()) must(maps.remove(rule));
  for (const name of programs) {
    if (scenario.isAttached) must(set.attach(name));
    else must(set.detach(name));
  }
  const [ownId, otherId] = [readCgroupId(own), readCgroupId(other)];
  must(maps.removeContainer(ownId));
  must(maps.putContainer(otherId, LEVEL, new Set()));
  if (scenario.ownRules !== undefined) must(maps.putContainer(ownId, LEVEL, new Set()));
  addRules(maps, 0, scenario.ownRules ?? 0, ownId);
  addRules(maps, 128, scenario.otherRules, otherId);
}

function addRules(maps: RuleMaps, first: number, count: number, cgroupId: bigint): void {
  for (let number = first; number < first + count; number++)
    must(maps.put(number, toRule(number), new Set([cgroupId])));
}

function toTable(samples: readonly (readonly (readonly number[])[])[]): Table {
  return {
    title: "Programs in the kernel",
    columns: ["process", "getpid ns", "open+close ns", "connect ns", "exec us"],
    rows: scenarios.map(({ name }, row) => [
      name,
      ...loops.map(([kind], column) => {
        const median = findMedian(samples[row]?.[column] ?? []);
        return kind === "exec" ? (median / 1_000).toFixed(0) : median.toFixed(0);
      }),
    ]),
    notes: [
      `Processor time of one call, medians of ${rounds} interleaved rounds. open: of /proc/version; connect: of a UDP socket; exec: of a static program, from fork to exit.`,
      "The programs are attached to executions and connections only, so that getpid and open+close must be equal.",
    ],
  };
}
