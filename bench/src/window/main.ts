// SPDX-License-Identifier: Apache-2.0
// `make bench-window`: for how long, and how often, a container can do what a policy forbids, from its first instruction on.
// Options: --write writes docs/window.md and docs/window.svg; --share=0.1 starts a tenth of the containers;
// --actions=exec,connect leaves out the others. Other words are the beginnings of names of scenarios: hook, watch.
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import { describeMachine } from "../machine.ts";
import { renderTable } from "../table.ts";
import { actions } from "./attempt-log.ts";
import { type Measured, toTable } from "./results-table.ts";
import { scenarios } from "./scenarios.ts";
import { setStage } from "./stage.ts";
import { writeDocument } from "./write-document.ts";

const args = process.argv.slice(2);
const readOption = (flag: string): string | undefined =>
  args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3);
const share = Number(readOption("share") ?? 1);
const wanted = actions.filter((action) => readOption("actions")?.split(",").includes(action) ?? true);
const names = args.filter((arg) => !arg.startsWith("--"));

const workspace = createWorkspace("window");
try {
  console.log(`Machine: ${describeMachine()}\n`);
  const stage = await setStage(workspace, wanted);
  const measured: Measured[] = [];
  for (const scenario of scenarios) {
    if (names.length > 0 && !names.some((name) => scenario.name.startsWith(name))) continue;
    const containers = Math.max(1, Math.round(scenario.containers * share));
    const startedMs = performance.now();
    measured.push({ scenario, windows: await scenario.run(stage, wanted, containers) });
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    console.error(`${scenario.name}: ${containers * wanted.length} containers in ${seconds} s`);
  }
  console.log(renderTable(toTable(measured), false));
  if (args.includes("--write")) writeDocument(measured);
} finally {
  await workspace.close();
}
