// SPDX-License-Identifier: Apache-2.0
// `make bench`: measures, prints tables, writes nothing and fails nothing. `--markdown` prints them for
// docs/performance.md; `hook`, `agent`, `idle`, `inspector`, `policies`, `enforcement`, `events`, `scale`,
// `containerd` or `soak` measures that one only.
import { describeMachine } from "./machine.ts";
import { renderTable, type Table } from "./table.ts";
import { withDirectory } from "./workspace.ts";

type Measure = (dir: string) => Promise<readonly Table[]>;

/** Loaded one by one: the two that need containerd refuse to load where `make containerd-test` has not run. */
const allParts: Readonly<Record<string, () => Promise<Measure>>> = {
  hook: async () => (await import("./hook/hook-bench.ts")).benchHook,
  agent: async () => (await import("./agent/agent-bench.ts")).benchAgent,
  idle: async () => (await import("./idle/idle-bench.ts")).benchIdle,
  inspector: async () => (await import("./inspector/inspector-bench.ts")).benchInspector,
  policies: async () => (await import("./policies/policies-bench.ts")).benchPolicies,
  enforcement: async () => (await import("./enforcement/enforcement-bench.ts")).benchEnforcement,
  events: async () => (await import("./events/events-bench.ts")).benchEvents,
  scale: async () => (await import("./scale/scale-bench.ts")).benchScale,
  containerd: async () => (await import("./containerd/containerd-bench.ts")).benchContainerd,
  soak: async () => (await import("./soak/soak-bench.ts")).benchSoak,
};

const args = process.argv.slice(2);
const markdown = args.includes("--markdown");
const parts = args.filter((arg) => !arg.startsWith("--"));

const unknown = parts.filter((part) => !(part in allParts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(allParts).join(", ")}`);
  process.exit(1);
}
console.log(`Machine: ${describeMachine()}\n`);
for (const [name, load] of Object.entries(allParts)) {
  if (parts.length > 0 && !parts.includes(name)) continue;
  for (const table of await withDirectory(await load())) console.log(renderTable(table, markdown));
}
