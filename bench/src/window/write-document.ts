// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../machine.ts";
import { renderTable } from "../table.ts";
import { renderPlot } from "./plot.ts";
import { type Measured, toTable } from "./results-table.ts";

const docs = join(import.meta.dir, "..", "..", "..", "docs");
/** Between these lines of the document is what was measured. */
const [begin, end] = ["<!-- measured -->", "<!-- /measured -->"];

/** Under the picture; a drawing has no automatic line breaks. */
const method = (count: number): readonly string[] => [
  `${count} containers of runc, four at once. The first program of each does one forbidden thing with its first system calls and repeats it`,
  "every millisecond: it executes itself by a forbidden path; it connects a socket to a forbidden address; it makes a system call that is",
  "answered with SIGKILL. Each line it writes has the time. A mark is a container; the upright line is the median of those that have a mark.",
  "An action went through if the program went on after it. A system call that is answered with a signal completes, once.",
];

/** The figures and the picture of docs/window.md. */
export function writeDocument(measured: readonly Measured[]): void {
  const path = join(docs, "window.md");
  const [before, rest = ""] = readFileSync(path, "utf8").split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${path} lacks ${begin} and ${end}`);
  const table = renderTable(toTable(measured), true).replace(/^## .*\n\n/, "");
  const figures = `Machine: ${describeMachine()}.\n\n${table.trimEnd()}`;
  writeFileSync(path, `${before}${begin}\n\n${figures}\n\n${end}${after}`);
  const drawn = measured.filter(({ scenario }) => scenario.name !== "no agent");
  const count = drawn.reduce((sum, { windows }) => sum + windows.length, 0);
  writeFileSync(join(docs, "window.svg"), renderPlot(drawn, method(count)));
}
