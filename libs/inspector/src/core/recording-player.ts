// SPDX-License-Identifier: Apache-2.0
// Which entries of a recording are due. The caller has the clock.

import type { Recording, RecordingEntry } from "./recording.ts";

export interface Player {
  /** The entries that became due since the last call. `elapsedMs`: since the replay began. */
  take(elapsedMs: number): readonly RecordingEntry[];
  /** When the next entry, or the end, is due: `elapsedMs` of then; undefined after the end. */
  nextMs(): number | undefined;
}

/** `speed`: 2 plays in half of the time. */
export function createPlayer({ entries, startedMs, endedMs }: Recording, speed: number): Player {
  let next = 0;
  let hasEnded = false;
  const toElapsed = (atMs: number): number => Math.max(0, (atMs - startedMs) / speed);
  return {
    take(elapsedMs) {
      const first = next;
      for (let entry = entries[next]; entry !== undefined; entry = entries[next]) {
        if (toElapsed(entry.atMs) > elapsedMs) break;
        next++;
      }
      hasEnded = next === entries.length && toElapsed(endedMs) <= elapsedMs;
      return entries.slice(first, next);
    },
    nextMs() {
      if (hasEnded) return undefined;
      return toElapsed(entries[next]?.atMs ?? endedMs);
    },
  };
}
