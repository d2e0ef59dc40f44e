// SPDX-License-Identifier: Apache-2.0
// Imported `with { type: "macro" }`: this runs in the bundler, and what it returns is embedded in the program.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

interface EmbeddedPage {
  readonly html: string;
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** By the machine's id: its drawing in docs/machines, which `make machines` writes from the code. */
  readonly drawings: Readonly<Record<string, string>>;
}

const page = join(import.meta.dir, "..", "page");
const documents = join(import.meta.dir, "..", "..", "..", "..", "docs", "machines");

export function embedPage(): EmbeddedPage {
  const drawings = readdirSync(documents).filter((name) => name.endsWith(".svg"));
  return {
    html: readText(page, "index.html"),
    script: bundle(join(page, "view", "main.ts")),
    style: readStyles(),
    icon: readText(page, "icon.svg"),
    drawings: Object.fromEntries(
      drawings.map((name) => [basename(name, ".svg"), withoutStyle(readText(documents, name))]),
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
