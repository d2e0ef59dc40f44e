// SPDX-License-Identifier: Apache-2.0
// Which of the agent's sources are stale, and since when.

import type { SourceState } from "@rthooks/explain";

export interface WatchedSource {
  readonly name: string;
  /** Whether the flags select it, or it has reported something. */
  isOn(): boolean;
  /** One line for users; empty where all is well. */
  problem(): string;
}

export interface SourceStates {
  /** Notices problems that have come or gone. Call it at intervals: `sinceMs` is as exact as they are. */
  look(): void;
  list(): readonly SourceState[];
}

export function createSourceStates(sources: readonly WatchedSource[], nowMs: () => number): SourceStates {
  const staleSince = new Map<WatchedSource, number>();

  const look = (): void => {
    for (const source of sources) {
      if (source.problem() === "") staleSince.delete(source);
      else if (!staleSince.has(source)) staleSince.set(source, nowMs());
    }
  };

  return {
    look,
    list() {
      look();
      return sources.map((source) => {
        const sinceMs = staleSince.get(source);
        const state = sinceMs !== undefined ? "stale" : source.isOn() ? "current" : "off";
        return { name: source.name, state, problem: source.problem(), sinceMs };
      });
    },
  };
}
