// SPDX-License-Identifier: Apache-2.0
// Filters that wait to be set. Setting one matches it with all containers, so they are set one after the other, with other
// work in between where that takes long.

import type { Filter } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { FilterStatus } from "./filter-maps.ts";

export interface FilterQueue {
  /** Replaces the filter that waits under the key. The error is one line; one that is known only later is in the status. */
  put(key: string, filter: Filter): Result<void, string>;
  /** The filter that waits under the key and has not failed. */
  findWaiting(key: string): Filter | undefined;
  /** The newest filter under the key could not be set; the one before it is still in force. */
  hasFailed(key: string): boolean;
  /** Undefined for a key whose newest filter is set. */
  status(key: string): FilterStatus | undefined;
  remove(key: string): void;
  /** Of filters that wait or have failed. */
  keys(): readonly string[];
  /** Retries the filters that have failed. */
  retry(): void;
  /** Resolves when no filter waits. */
  settled(): Promise<void>;
  /** One line; empty where no filter has failed. */
  problem(): string;
}

interface Failed {
  readonly filter: Filter;
  readonly error: string;
}

/** `takeSlice` is called before each filter, and what it returns is awaited. */
export function createFilterQueue(
  set: (key: string, filter: Filter) => Result<void, string>,
  takeSlice: () => Promise<void> | undefined,
): FilterQueue {
  /** Only the newest of each key. */
  const waiting = new Map<string, Filter>();
  const failed = new Map<string, Failed>();
  let isWorking = false;
  let working = Promise.resolve();

  const work = async (): Promise<void> => {
    while (waiting.size > 0) {
      const pause = takeSlice();
      if (pause !== undefined) await pause;
      const [next] = waiting;
      if (next === undefined) break;
      const [key, filter] = next;
      waiting.delete(key);
      const done = set(key, filter);
      if (!done.ok) failed.set(key, { filter, error: done.error });
    }
    isWorking = false;
  };

  const proceed = (): void => {
    if (isWorking || waiting.size === 0) return;
    isWorking = true;
    working = work();
  };

  return {
    put(key, filter) {
      failed.delete(key);
      waiting.set(key, filter);
      proceed();
      const failure = failed.get(key);
      if (failure === undefined) return { ok: true, value: undefined };
      failed.delete(key);
      return { ok: false, error: failure.error };
    },
    findWaiting: (key) => waiting.get(key),
    hasFailed: (key) => failed.has(key),
    status(key) {
      const failure = failed.get(key);
      if (failure !== undefined) return { kind: "failed", error: failure.error };
      return waiting.has(key) ? { kind: "loading" } : undefined;
    },
    remove(key) {
      waiting.delete(key);
      failed.delete(key);
    },
    keys: () => [...waiting.keys(), ...failed.keys()],
    retry() {
      for (const [key, { filter }] of failed) waiting.set(key, filter);
      failed.clear();
      proceed();
    },
    settled: () => working,
    problem() {
      const [first] = failed;
      return first === undefined ? "" : `the filter of ${first[0]} is not in force: ${first[1].error}`;
    },
  };
}
