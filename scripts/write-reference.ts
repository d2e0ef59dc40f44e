// SPDX-License-Identifier: Apache-2.0
// Writes docs/reference from the programs' own tables of flags, commands, exit codes and metrics. With --check it
// writes nothing, and fails where a page is not what it would write.
import { mkdir, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { helpTopics } from "../apps/agent/src/cli/edge/help.ts";
import { hookHelp } from "../apps/hook/src/core/hook-help.ts";
import { pluginHelp } from "../apps/nri-plugin/src/core/plugin-help.ts";
import { describeCommand, describeProgram } from "../apps/setup/src/core/commands-help.ts";
import { commands } from "../apps/setup/src/edge/commands.ts";
import { renderMetricsPage } from "./reference/metrics-page.ts";
import { renderProgramPage } from "./reference/program-page.ts";

const root = join(import.meta.dir, "..");
const folder = join(root, "docs/reference");
const note = "<!-- `make generate` writes this page from the code. -->";

const { "": agentHelp, ...agentCommands } = helpTopics;

const pages = new Map([
  ["tetragon.md", renderProgramPage(agentHelp, Object.values(agentCommands))],
  ["tetragon-oci-hook.md", renderProgramPage(hookHelp, [])],
  ["tetragon-nri-hook.md", renderProgramPage(pluginHelp, [])],
  ["tetragon-oci-hook-setup.md", renderProgramPage(describeProgram(commands), commands.map(describeCommand))],
  ["metrics.md", renderMetricsPage()],
]);

const isCheck = process.argv[2] === "--check";
const stale: string[] = [];
await mkdir(folder, { recursive: true });
for (const [name, page] of pages) {
  const path = join(folder, name);
  const text = `${note}\n\n${page}\n`;
  const file = Bun.file(path);
  if ((await file.exists()) && (await file.text()) === text) continue;
  if (isCheck) stale.push(`${relative(root, path)} is out of date`);
  else await Bun.write(path, text);
}
for (const name of await readdir(folder)) {
  if (!pages.has(name)) stale.push(`docs/reference/${name} belongs to no program`);
}
if (stale.length > 0) {
  console.error(`${stale.join("\n")}\nmake generate writes the pages again`);
  process.exit(1);
}
