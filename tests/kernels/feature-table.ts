// SPDX-License-Identifier: Apache-2.0
// What each kernel does with a process that a rule matches, and what it reports of processes. The tests of hooks judge
// every cell; the documentation shows the same table.
import type { HookPoint } from "@rthooks/policy";
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

/** Markdown, a row for each feature. `outcomes`: by the column's title, of each case by its feature. */
export function renderFeatureTable(
  outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>> = expectedOutcomes(),
): string {
  const columns = [...outcomes.values()];
  const rows = [...hookCases, ...processCases].map(({ feature }) => [
    feature,
    ...columns.map((column) => column.get(feature) ?? ""),
  ]);
  return renderTable(["a rule about, or an event", ...outcomes.keys()], rows);
}

/** Markdown, a row for each kind of feature. */
export function renderKindTable(): string {
  const expected = [...expectedOutcomes().values()];
  const renderRow = (title: string, features: readonly string[]): readonly string[] => [
    title,
    ...expected.map((column) => [...new Set(features.map((feature) => column.get(feature)))].join(", ")),
  ];
  const featuresOf = (kind: HookPoint["kind"]): readonly string[] =>
    hookCases.filter(({ rule }) => rule.hooks[0]?.kind === kind).map(({ feature }) => feature);
  return renderTable(
    ["a rule about, or an event", ...kernelColumns.map(({ title }) => title)],
    [
      renderRow("an execution", featuresOf("exec")),
      renderRow("a connection, bind(2)", [...featuresOf("connect"), ...featuresOf("bind")]),
      renderRow("an LSM hook: files, mounts, capabilities, …", featuresOf("lsm")),
      renderRow("a kernel function", featuresOf("function")),
      renderRow("a system call", featuresOf("tracepoint")),
      renderRow(
        "events of processes",
        processCases.map(({ feature }) => feature),
      ),
    ],
  );
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((word, at) => Math.max(word.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const renderRow = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(renderRow).join("\n");
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
