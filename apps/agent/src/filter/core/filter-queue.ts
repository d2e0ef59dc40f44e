// SPDX-License-Identifier: Apache-2.0
// Filters that wait to be set. Each is matched with all containers, so they are set one after the other, with other work in
// between where that takes long.

import type { FilterDefinition } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { FilterStanding } from "./filter-maps.ts";

export interface FilterQueue {
  /** In place of what waits under the key. The error is one line for people, where it is known at once. */
  put(key: string, definition: FilterDefinition): Result<void, string>;
  /** What waits under the key and is not to be tried again as it is. */
  findWaiting(key: string): FilterDefinition | undefined;
  /** The last one that had its turn did not fit; what the policy had before is in force. */
  isRefused(key: string): boolean;
  /** Undefined for a key of which the last filter was set. */
  standing(key: string): FilterStanding | undefined;
  drop(key: string): void;
  /** All that wait, or did not fit. */
  keys(): readonly string[];
  /** Once more those that did not fit. */
  retry(): void;
  /** Resolves when none waits. */
  settled(): Promise<void>;
  /** One line for people; empty where all fit. */
  problem(): string;
}

interface Refused {
  readonly definition: FilterDefinition;
  readonly error: string;
}

/** `takeSlice`: asked before each filter; what it gives is waited for. */
export function createFilterQueue(
  set: (key: string, definition: FilterDefinition) => Result<void, string>,
  takeSlice: () => Promise<void> | undefined,
): FilterQueue {
  /** Only the newest of each key. */
  const waiting = new Map<string, FilterDefinition>();
  const refused = new Map<string, Refused>();
  let isWorking = false;
  let working = Promise.resolve();

  const work = async (): Promise<void> => {
    while (waiting.size > 0) {
      const pause = takeSlice();
      if (pause !== undefined) await pause;
      const [next] = waiting;
      if (next === undefined) break;
      const [key, definition] = next;
      waiting.delete(key);
      const done = set(key, definition);
      if (!done.ok) refused.set(key, { definition, error: done.error });
    }
    isWorking = false;
  };

  const proceed = (): void => {
    if (isWorking || waiting.size === 0) return;
    isWorking = true;
    working = work();
  };

  return {
    put(key, definition) {
      refused.delete(key);
      waiting.set(key, definition);
      proceed();
      const refusal = refused.get(key);
      if (refusal === undefined) return { ok: true, value: undefined };
      refused.delete(key);
      return { ok: false, error: refusal.error };
    },
    findWaiting: (key) => waiting.get(key),
    isRefused: (key) => refused.has(key),
    standing(key) {
      const refusal = refused.get(key);
      if (refusal !== undefined) return { kind: "failed", error: refusal.error };
      return waiting.has(key) ? { kind: "loading" } : undefined;
    },
    drop(key) {
      waiting.delete(key);
      refused.delete(key);
    },
    keys: () => [...waiting.keys(), ...refused.keys()],
    retry() {
      for (const [key, { definition }] of refused) waiting.set(key, definition);
      refused.clear();
      proceed();
    },
    settled: () => working,
    problem() {
      const [first] = refused;
      return first === undefined ? "" : `the filter of ${first[0]} is not in force: ${first[1].error}`;
    },
  };
}
