// SPDX-License-Identifier: Apache-2.0
// What each kernel does with a process that a rule matches, and what it reports of processes. The tests of hooks judge
// every cell; the documentation shows the same table.
import { type HookCase, hookCases } from "./hook-cases.ts";
import { processCases } from "./process-cases.ts";
import type { KernelName } from "./vm/find-kernels.ts";

/** What happens to a call that a rule matches, or what becomes of an event. */
export type Outcome =
  /** It fails, and the process goes on. */
  | "prevented"
  /** The process is killed before it does anything. */
  | "killed at once"
  /** The process gets the signal; the call may complete. */
  | "signalled"
  /** The kernel cannot have the program: the policy is refused with the reason. */
  | "not here"
  /** The agent gets a record of it. */
  | "reported"
  /** The rule has no effect, or there is no record. No cell has this. */
  | "nothing";

export interface KernelColumn {
  readonly title: string;
  readonly kernel: KernelName;
  /** On the kernel's command line. */
  readonly lsm: string;
  /** Programs can be attached to LSM hooks. */
  readonly hasLsm: boolean;
}

export const kernelColumns: readonly KernelColumn[] = [
  { title: "6.1", kernel: "6.1-amd64", lsm: "lockdown,yama,bpf", hasLsm: true },
  { title: "6.12", kernel: "6.12-amd64", lsm: "lockdown,yama,bpf", hasLsm: true },
  { title: "6.12 without lsm=bpf", kernel: "6.12-amd64", lsm: "lockdown,yama", hasLsm: false },
  // Linux has what LSM programs need on arm64 from 6.4 on (arch/arm64/net/bpf_jit_comp.c, trampolines).
  { title: "6.1 on arm64", kernel: "6.1-arm64", lsm: "lockdown,yama,bpf", hasLsm: false },
];

export function findOutcome({ rule }: HookCase, { hasLsm }: KernelColumn): Outcome {
  switch (rule.hooks[0]?.kind) {
    case "exec":
      return hasLsm ? "prevented" : "killed at once";
    case "connect":
    case "bind":
      return "prevented";
    case "lsm":
      return hasLsm ? "prevented" : "not here";
    default:
      return "signalled";
  }
}

/** Markdown. `outcomes`: by the column's title, of each case by its feature. */
export function renderFeatureTable(
  outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>> = expectedOutcomes(),
): string {
  const titles = [...outcomes.keys()];
  const rows = [...hookCases, ...processCases].map(({ feature }) => [
    feature,
    ...titles.map((title) => outcomes.get(title)?.get(feature) ?? ""),
  ]);
  const head = ["a rule about, or an event", ...titles];
  const widths = head.map((word, at) => Math.max(word.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const renderRow = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [renderRow(head), renderRow(widths.map((width) => "-".repeat(width))), ...rows.map(renderRow)].join(
    "\n",
  );
}

const expectedOutcomes = (): ReadonlyMap<string, ReadonlyMap<string, Outcome>> =>
  new Map(
    kernelColumns.map((column) => [
      column.title,
      new Map([
        ...hookCases.map((hookCase) => [hookCase.feature, findOutcome(hookCase, column)] as const),
        ...processCases.map(({ feature }) => [feature, "reported"] as const),
      ]),
    ]),
  );
