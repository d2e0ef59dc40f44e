// SPDX-License-Identifier: Apache-2.0
// What keeps the NRI plugin of this node from its work, as it says itself.

export interface PluginProblem {
  report(text: string): void;
  /** Empty where there is none, or the plugin says nothing any more. */
  problem(): string;
}

/** A plugin repeats every minute what is wrong. */
const STALE_MS = 3 * 60_000;
/** In UTF-16 code units: it is a part of one line. */
const MAX_LENGTH = 300;

export function createPluginProblem(nowMs: () => number): PluginProblem {
  let text = "";
  let reportedAtMs = 0;
  return {
    report(given) {
      text = given.slice(0, MAX_LENGTH);
      reportedAtMs = nowMs();
    },
    problem: () => (text === "" || nowMs() - reportedAtMs > STALE_MS ? "" : `NRI plugin: ${text}`),
  };
}
