// SPDX-License-Identifier: Apache-2.0
// The words for sources and outcomes.

import { type Explanation, nameHolder } from "@rthooks/explain";
import { renderDuration } from "./time-format.ts";

const sources: Readonly<Record<string, string>> = {
  hook: "hook call",
  nri: "NRI plugin",
  synchronize: "NRI plugin's list",
  cri: "CRI list",
  scan: "search of the cgroups",
  "pod-source": "pod source",
  kernel: "kernel",
};

/** A source of a newer program keeps its own name. */
export const nameSource = (source: string): string =>
  Object.hasOwn(sources, source) ? (sources[source] ?? source) : source;

const outcomes: Readonly<Record<Explanation["outcome"], string>> = {
  held: "The runtime waits: the container has not started.",
  running: "The container was started.",
  denied: "The start was denied.",
  failed: "The agent refused the container.",
  ended: "The container has ended.",
};

/** One or two sentences. */
export function summarize({ outcome, hold }: Explanation): string {
  if (hold === undefined) return `${outcomes[outcome]} Nothing held it, as far as the agent knows.`;
  const by = `the ${nameHolder(hold.by)}`;
  if (outcome === "held") return `${outcomes[outcome]} It is held by ${by}.`;
  return `${outcomes[outcome]} The runtime was held by ${by} for ${renderDuration(hold.durationMs)}.`;
}
