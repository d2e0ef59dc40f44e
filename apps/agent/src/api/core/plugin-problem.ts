// SPDX-License-Identifier: Apache-2.0
// The problem that the NRI plugin of this node reports.

export interface PluginProblem {
  report(text: string): void;
  /** Empty when the plugin reported none, or has stopped reporting. */
  problem(): string;
}

/** The plugin repeats its problem every minute. */
const STALE_MS = 3 * 60_000;
/** In UTF-16 code units. The text becomes part of one line. */
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
