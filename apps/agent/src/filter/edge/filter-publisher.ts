// SPDX-License-Identifier: Apache-2.0
// Publishes filters in the map of maps, and removes them from it. Both wait for the kernel, so another thread does them, in
// rounds: what is asked for during a round is done together in the next one.

import { type BpfMap, renderBpfError } from "@rthooks/bpf";
import type { FilterOperation } from "../../base/core/agent-metrics.ts";
import { createTimeSlice } from "../../base/edge/time-slice.ts";
import { toCgroupKeys, toIdKey } from "../core/filter-map-layout.ts";
import { present } from "./filter-map-specs.ts";
import type { OuterMap } from "./outer-map.ts";

export interface FilterEntry {
  readonly key: Uint8Array;
  /** The contents of the filter's map, also before it exists. */
  readonly cgroupIds: Set<bigint>;
  /** The filter's map; undefined until it is made. */
  inner: BpfMap | undefined;
  /** The map of maps has it. */
  isPublished: boolean;
  /** Why the filter is not published; empty without an error. */
  error: string;
}

export interface FilterPublisher {
  /** The entries have changed: makes and publishes the maps that are missing. */
  publish(): void;
  /** Removes the filter from the map of maps, and closes its map. */
  remove(filterId: number, inner: BpfMap): void;
  /** Resolves when what was asked for so far is done or has failed. */
  settled(): Promise<void>;
  /** Retries what has failed. */
  retry(): void;
  close(): void;
}

interface PublisherOptions {
  /** By filter id; changed by the caller too. */
  readonly entries: Map<number, FilterEntry>;
  readonly outerMap: OuterMap;
  readonly keys: BpfMap;
  count(operation: FilterOperation, succeeded: boolean): void;
}

export function createFilterPublisher({ entries, outerMap, keys, count }: PublisherOptions): FilterPublisher {
  /** Filters to remove, with their maps: not tried yet, and failed. */
  const toRemove = new Map<number, BpfMap>();
  const notRemoved = new Map<number, BpfMap>();
  let isWorking = false;
  /** For callers of settled(): those from before the current round, and those since it began. */
  let round: PromiseWithResolvers<void> | undefined;
  let nextRound: PromiseWithResolvers<void> | undefined;

  const begin = (): void => {
    if (isWorking) return;
    isWorking = true;
    work().catch((bug: unknown) => end(({ reject }) => reject(bug)));
  };

  /** Synchronous, so that whatever is asked for afterwards begins the work again. */
  const end = (conclude: (waiting: PromiseWithResolvers<void>) => void): void => {
    const waiting = [round, nextRound];
    isWorking = false;
    round = undefined;
    nextRound = undefined;
    for (const one of waiting) if (one !== undefined) conclude(one);
  };

  const work = async (): Promise<void> => {
    // Everything that one event changes belongs to the first round.
    await Promise.resolve();
    for (;;) {
      // What is asked for from now on may miss this round.
      round = nextRound;
      nextRound = undefined;
      const missing = findFilters(({ inner }) => inner === undefined);
      if (missing.length > 0) await makeMaps(missing);
      const unpublished = findFilters(({ inner, isPublished }) => inner !== undefined && !isPublished);
      if (unpublished.length === 0 && toRemove.size === 0) break;
      await changeOuter(unpublished);
      round?.resolve();
      round = undefined;
    }
    end(({ resolve }) => resolve());
  };

  const findFilters = (is: (entry: FilterEntry) => boolean): readonly number[] =>
    [...entries].filter(([, entry]) => entry.error === "" && is(entry)).map(([id]) => id);

  const makeMaps = async (filterIds: readonly number[]): Promise<void> => {
    const made = await outerMap.create(filterIds);
    const takeSlice = createTimeSlice();
    for (const [filterId, map] of made) {
      const pause = takeSlice();
      if (pause !== undefined) await pause;
      const entry = entries.get(filterId);
      // The filter may have been removed meanwhile.
      if (entry === undefined || entry.inner !== undefined) {
        if (map.ok) map.value.close();
        continue;
      }
      const error = map.ok ? fill(filterId, entry, map.value) : map.error;
      if (map.ok && error === "") {
        entry.inner = map.value;
        continue;
      }
      if (map.ok) map.value.close();
      entry.error = error;
      count("policy-put", false);
    }
  };

  /** Empty without an error. */
  const fill = (filterId: number, { key, cgroupIds }: FilterEntry, inner: BpfMap): string => {
    const filled = inner.updateMany(toCgroupKeys(cgroupIds), present);
    const done = filled.ok ? keys.update(toIdKey(filterId), key) : filled;
    return done.ok ? "" : renderBpfError(done.error);
  };

  const changeOuter = async (filterIds: readonly number[]): Promise<void> => {
    const gone = new Map(toRemove);
    toRemove.clear();
    const put = filterIds.flatMap((id) => {
      const entry = entries.get(id);
      return entry?.inner === undefined ? [] : [{ id, entry, fd: entry.inner.fd }];
    });
    const outcome = await outerMap.change({
      removed: [...gone.keys()],
      put: put.map(({ id, fd }) => [id, fd]),
    });
    for (const [filterId, map] of gone) {
      const failure = outcome.removed.get(filterId);
      count("policy-remove", failure === undefined);
      if (failure === undefined) forget(filterId, map);
      else notRemoved.set(filterId, map);
    }
    for (const { id, entry } of put) {
      const failure = outcome.put.get(id);
      count("policy-put", failure === undefined);
      if (failure === undefined) entry.isPublished = true;
      else entry.error = failure;
    }
  };

  /** The key goes last: an id without a key would belong to another program. */
  const forget = (filterId: number, inner: BpfMap): void => {
    inner.close();
    if (!entries.has(filterId)) keys.delete(toIdKey(filterId));
  };

  return {
    publish: begin,
    remove(filterId, inner) {
      toRemove.set(filterId, inner);
      begin();
    },
    settled() {
      if (!isWorking) return Promise.resolve();
      nextRound ??= Promise.withResolvers();
      return nextRound.promise;
    },
    retry() {
      const failed = [...entries.values()].filter(({ error }) => error !== "");
      if (failed.length === 0 && notRemoved.size === 0) return;
      for (const entry of failed) entry.error = "";
      for (const [id, map] of notRemoved) toRemove.set(id, map);
      notRemoved.clear();
      begin();
    },
    close() {
      outerMap.close();
      for (const map of [...toRemove.values(), ...notRemoved.values()]) map.close();
    },
  };
}
