// SPDX-License-Identifier: Apache-2.0
// The text output of `detect` and `doctor`.

import { toPrintable } from "@rthooks/terminal";
import { describeName } from "./diagnose-runtime.ts";
import type { Finding } from "./findings.ts";
import type { NodeFacts, NriFacts, RuntimeFacts } from "./node-facts.ts";

export function renderFacts(facts: NodeFacts): string {
  const { install_dir, hook, agent, cgroups } = facts;
  const flags = [install_dir.read_only ? "read-only" : "", install_dir.noexec ? "noexec" : ""];
  const state = [install_dir.exists ? "" : "does not exist", ...flags]
    .filter((word) => word !== "")
    .join(", ");
  return toLines([
    ...(facts.runtimes.length === 0 ? ["no container runtime"] : facts.runtimes.flatMap(describeRuntime)),
    `install directory: ${install_dir.path}${state === "" ? "" : ` (${state})`}`,
    `hook: ${hook === null ? "not installed" : `${hook.path} ${hook.version ?? "(does not run)"}`}`,
    ...facts.hook_configs.map(({ path, calls }) => `hook configuration: ${path}, calls ${calls}`),
    ...facts.nri_plugins.map(({ command }) => `NRI plugin: ${command}`),
    `agent: ${agent.path} (${agent.state})`,
    `cgroups: ${cgroups ?? "unknown"}`,
  ]);
}

function describeRuntime(runtime: RuntimeFacts): readonly string[] {
  const { config, socket, nri, runc_runtimes } = runtime;
  const indented = [
    `interface: ${runtime.interface}`,
    `configuration: ${config.files.length === 0 ? `none (${config.path})` : config.files.join(", ")}`,
    ...(config.edit_path === config.path ? [] : [`edit: ${config.edit_path}`]),
    ...config.problems.map((problem) => `problem: ${problem}`),
    ...(socket === null ? [] : [`socket: ${socket.path} (${socket.state})`]),
    ...(runtime.cri_disabled ? ["CRI: off, so Kubernetes does not use it"] : []),
    ...(nri === null ? [] : [`NRI: ${describeNri(nri)}`]),
    ...(runtime.hooks_dirs.length === 0 ? [] : [`hooks directories: ${runtime.hooks_dirs.join(", ")}`]),
    ...runc_runtimes.map(({ name, base_spec }) => `runtime ${name}: base spec ${base_spec ?? "none"}`),
  ];
  return [describeName(runtime), ...indented.map((line) => `  ${line}`)];
}

function describeNri({ enabled, connections, decided_by, socket }: NriFacts): string {
  if (enabled === null) return `unknown; ${socket.path} (${socket.state})`;
  const which = `${enabled ? "on" : "off"}, by ${decided_by}`;
  return `${which}${connections ? "" : ", accepts no connections"}; ${socket.path} (${socket.state})`;
}

const marks = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const; // const: the keys are a union

export function renderFindings(findings: readonly Finding[]): string {
  const failed = findings.filter(({ status }) => status === "fail").length;
  const sum = failed === 0 ? "no check failed" : `failed checks: ${failed}`;
  return toLines([
    ...findings.flatMap(({ status, message, fix }) => [
      `${marks[status]}  ${message}`,
      ...fix.map((command) => `        ${command}`),
    ]),
    sum,
  ]);
}

/** Names in configuration files may contain anything. */
const toLines = (lines: readonly string[]): string => lines.map((line) => `${toPrintable(line)}\n`).join("");
