// SPDX-License-Identifier: Apache-2.0
// `make bench`: measures, prints tables, writes nothing and fails nothing. `--markdown` prints them for
// docs/performance.md; `hook`, `agent`, `idle`, `inspector`, `policies`, `enforcement`, `containerd` or `soak` measures that
// one only.
import { benchAgent } from "./agent/agent-bench.ts";
import { benchContainerd } from "./containerd/containerd-bench.ts";
import { benchEnforcement } from "./enforcement/enforcement-bench.ts";
import { benchHook } from "./hook/hook-bench.ts";
import { benchIdle } from "./idle/idle-bench.ts";
import { benchInspector } from "./inspector/inspector-bench.ts";
import { describeMachine } from "./machine.ts";
import { benchPolicies } from "./policies/policies-bench.ts";
import { benchSoak } from "./soak/soak-bench.ts";
import { renderTable } from "./table.ts";
import { withDirectory } from "./workspace.ts";

const args = process.argv.slice(2);
const markdown = args.includes("--markdown");
const parts = args.filter((arg) => !arg.startsWith("--"));

console.log(`Machine: ${describeMachine()}\n`);
for (const [name, measure] of [
  ["hook", benchHook],
  ["agent", benchAgent],
  ["idle", benchIdle],
  ["inspector", benchInspector],
  ["policies", benchPolicies],
  ["enforcement", benchEnforcement],
  ["containerd", benchContainerd],
  ["soak", benchSoak],
] as const) {
  if (parts.length > 0 && !parts.includes(name)) continue;
  for (const table of await withDirectory(measure)) console.log(renderTable(table, markdown));
}
