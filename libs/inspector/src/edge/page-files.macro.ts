// SPDX-License-Identifier: Apache-2.0
// Imported `with { type: "macro" }`: this runs in the bundler, and what it returns is embedded in the program.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ChartState, readChart } from "@rthooks/statechart/chart";
import { createMachine } from "xstate";

interface EmbeddedPage {
  readonly html: string;
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** By the machine's id: its drawing in docs/machines, which `make machines` writes from the code. */
  readonly drawings: Readonly<Record<string, string>>;
  /** By the machine's id: its transitions and the descriptions of its states as JSON (../page/core/guards.ts). */
  readonly descriptions: Readonly<Record<string, string>>;
}

const page = join(import.meta.dir, "..", "page");
const documents = join(import.meta.dir, "..", "..", "..", "..", "docs", "machines");

export function embedPage(): EmbeddedPage {
  const names = readdirSync(documents);
  const drawings = names.filter((name) => name.endsWith(".svg"));
  const definitions = names.filter((name) => name.endsWith(".json"));
  return {
    html: readText(page, "index.html"),
    script: bundle(join(page, "view", "main.ts")),
    style: readStyles(),
    icon: readText(page, "icon.svg"),
    drawings: Object.fromEntries(
      drawings.map((name) => [basename(name, ".svg"), withoutStyle(readText(documents, name))]),
    ),
    descriptions: Object.fromEntries(
      definitions.map((name) => [basename(name, ".json"), describeMachine(readText(documents, name))]),
    ),
  };
}

const readText = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");

/** All files of the folder `style` as one, `base.css` first: the others build on it, and not on each other. */
function readStyles(): string {
  const folder = join(page, "style");
  const parts = readdirSync(folder).filter((name) => name !== "base.css");
  return ["base.css", ...parts.toSorted()].map((name) => readText(folder, name)).join("\n");
}

/** `definition`: the machine's configuration as JSON. */
function describeMachine(definition: string): string {
  const { states, transitions, internal } = readChart(createMachine(JSON.parse(definition)));
  const all = states.flatMap(listStates);
  const steps = [
    ...transitions,
    ...[{ id: "", internal }, ...all].flatMap(({ id, internal }) =>
      internal.map((step) => ({ ...step, source: id, target: "" })),
    ),
  ];
  return JSON.stringify({
    descriptions: Object.fromEntries(all.map(({ id, description }) => [id, description])),
    initial: Object.fromEntries(
      all
        .filter(({ isInitial }) => isInitial)
        .map(({ id }) => [id.slice(0, Math.max(0, id.lastIndexOf("."))), id]),
    ),
    steps: steps.map(({ source, event, guard, target }) => ({ source, event, guard, target })),
  });
}

const listStates = (state: ChartState): readonly ChartState[] => [
  state,
  ...state.children.flatMap(listStates),
];

/** The page's content security policy forbids style elements; style/chart.css has the chart's styles. */
const withoutStyle = (svg: string): string => svg.replace(/<style>.*?<\/style>\n?/s, "");

/** By the command line: a macro must not call `Bun.build`. */
function bundle(entry: string): string {
  const { success, stdout, stderr } = Bun.spawnSync([
    ...[process.execPath, "build", entry],
    ...["--target=browser", "--format=esm", "--minify"],
  ]);
  if (!success) throw new Error(`cannot bundle ${entry}: ${stderr.toString()}`);
  return stdout.toString();
}
