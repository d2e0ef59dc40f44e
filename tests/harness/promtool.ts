// SPDX-License-Identifier: Apache-2.0
// Debian's promtool, and what a program serves at /metrics.
import { type Finished, type ProcessOptions, runProcess } from "./process.ts";
import { findTool } from "./programs.ts";

export const runPromtool = (argv: readonly string[], options: ProcessOptions = {}): Promise<Finished> =>
  runProcess([findTool("promtool"), ...argv], options);

/** The metrics text of a program that serves it on a unix socket. */
export async function scrape(socketPath: string): Promise<string> {
  const answer = await fetch("http://program/metrics", { unix: socketPath });
  if (answer.status !== 200) throw new Error(`metrics: status ${answer.status}`);
  return await answer.text();
}

/** The series of a metrics text: each line without its value. */
export const listSeries = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));

/** The value of one series; undefined if it is not there. */
export function readValue(text: string, series: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
