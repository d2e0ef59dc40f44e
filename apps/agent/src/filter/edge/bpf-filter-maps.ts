// SPDX-License-Identifier: Apache-2.0
// The policy filter in the kernel, in the maps, names and places that Tetragon's own tools know
// (pkg/policyfilter/map.go): policy_filter_maps, a map of maps by policy id, holds a map of cgroup ids for each policy.
//
// One more map, policy_filter_keys, says which policy has which id. It is pinned beside the others and so lives and dies
// with them: an agent that starts gives each policy the id that its programs and its map already have.
//
// What is in a policy's map is changed at once, by this thread. That a policy comes or goes changes the map of maps, which
// waits for the kernel: it is collected, and done by another thread, all that has collected meanwhile at a time.

import { type Bpf, type BpfError, type BpfMap, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import type { FilterOperation } from "../../base/core/agent-metrics.ts";
import { createTimeSlice } from "../../base/edge/time-slice.ts";
import { encodeKey, KEY_BYTES, toCgroupKey, toCgroupKeys, toIdKey } from "../core/filter-map-layout.ts";
import type { FilterMaps } from "../core/filter-maps.ts";
import { adoptFilterMaps } from "./adopt-filter-maps.ts";
import { present } from "./filter-map-specs.ts";
import type { OuterMap } from "./outer-map.ts";
import type { PinReports } from "./pinned-map.ts";

export interface BpfFilterMaps extends FilterMaps {
  /** By the names of their pins. */
  readonly pinned: Readonly<Record<string, BpfMap>>;
}

interface FilterMapsOptions {
  readonly reports: PinReports;
  readonly openOuter: (bpf: Bpf, outer: BpfMap) => OuterMap;
  count(operation: FilterOperation, succeeded: boolean): void;
}

interface Entry {
  readonly key: Uint8Array;
  readonly members: Set<bigint>;
  /** Undefined until the policy's map is made. */
  inner: BpfMap | undefined;
  /** The map of maps has it. */
  isPublished: boolean;
  /** Why it is not; empty where nothing is wrong. */
  error: string;
}

/** `directory`: on a bpf file system. The error is one line for people. */
export function openBpfFilterMaps(
  bpf: Bpf,
  directory: string,
  { reports, openOuter, count }: FilterMapsOptions,
): Result<BpfFilterMaps, string> {
  const adopted = adoptFilterMaps(bpf, directory, reports);
  if (!adopted.ok) return adopted;
  const { outer, keys, policies } = adopted.value;
  const outerMap = openOuter(bpf, outer);
  const entries = new Map<number, Entry>();
  for (const [filterId, { inner, key, cgroupIds }] of policies) {
    const entry = { key: encodeKey(key) ?? new Uint8Array(KEY_BYTES), members: new Set(cgroupIds), inner };
    entries.set(filterId, { ...entry, isPublished: true, error: "" });
  }
  /** Ids that the map of maps may have and that are to go, with their maps. */
  const leaving = new Map<number, BpfMap>();
  const notRemoved = new Map<number, BpfMap>();
  let isWorking = false;
  /** For callers of settled(): before the round of work that is under way, and since it began. */
  let round: PromiseWithResolvers<void> | undefined;
  let nextRound: PromiseWithResolvers<void> | undefined;

  const findAll = (is: (entry: Entry) => boolean): readonly number[] =>
    [...entries].filter(([, entry]) => entry.error === "" && is(entry)).map(([id]) => id);

  const proceed = (): void => {
    if (isWorking) return;
    isWorking = true;
    run().catch((bug: unknown) => conclude(({ reject }) => reject(bug)));
  };

  /** Without a wait in between: what is asked for after it begins the work again. */
  const conclude = (end: (waiting: PromiseWithResolvers<void>) => void): void => {
    const ended = [round, nextRound];
    isWorking = false;
    round = undefined;
    nextRound = undefined;
    for (const waiting of ended) if (waiting !== undefined) end(waiting);
  };

  const run = async (): Promise<void> => {
    // All that one event changes comes first.
    await Promise.resolve();
    for (;;) {
      // What is asked for from now on may miss this round.
      round = nextRound;
      nextRound = undefined;
      const missing = findAll(({ inner }) => inner === undefined);
      if (missing.length > 0) await make(missing);
      const put = findAll(({ inner, isPublished }) => inner !== undefined && !isPublished);
      if (put.length === 0 && leaving.size === 0) break;
      await publish(put);
      round?.resolve();
      round = undefined;
    }
    conclude(({ resolve }) => resolve());
  };

  const make = async (filterIds: readonly number[]): Promise<void> => {
    const made = await outerMap.create(filterIds);
    const takeSlice = createTimeSlice();
    for (const [filterId, map] of made) {
      const pause = takeSlice();
      if (pause !== undefined) await pause;
      const entry = entries.get(filterId);
      // It may have gone meanwhile.
      if (entry === undefined || entry.inner !== undefined) {
        if (map.ok) map.value.close();
        continue;
      }
      const filled = map.ok ? map.value.updateMany(toCgroupKeys(entry.members), present) : undefined;
      const named = filled?.ok === true ? keys.update(toIdKey(filterId), entry.key) : filled;
      if (map.ok && named?.ok === true) {
        entry.inner = map.value;
      } else {
        if (map.ok) map.value.close();
        entry.error = !map.ok ? map.error : named?.ok === false ? renderBpfError(named.error) : "";
        count("policy-put", false);
      }
    }
  };

  const publish = async (filterIds: readonly number[]): Promise<void> => {
    const gone = new Map(leaving);
    leaving.clear();
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
      if (failure !== undefined) notRemoved.set(filterId, map);
      else {
        map.close();
        if (!entries.has(filterId)) keys.delete(toIdKey(filterId));
      }
    }
    for (const { id, entry } of put) {
      const failure = outcome.put.get(id);
      count("policy-put", failure === undefined);
      if (failure === undefined) entry.isPublished = true;
      else entry.error = failure;
    }
  };

  const change = (entry: Entry, inner: BpfMap, wanted: ReadonlySet<bigint>): Result<void, string> => {
    const { members } = entry;
    const added = [...wanted].filter((id) => !members.has(id));
    const removed = [...members].filter((id) => !wanted.has(id));
    const put = inner.updateMany(toCgroupKeys(added), present);
    if (!put.ok) {
      inner.deleteMany(toCgroupKeys(added));
      return render(put);
    }
    const taken = inner.deleteMany(toCgroupKeys(removed));
    if (!taken.ok) return render(taken);
    for (const id of added) members.add(id);
    for (const id of removed) members.delete(id);
    return ok(undefined);
  };

  return ok({
    pinned: { policy_filter_maps: outer, policy_filter_keys: keys },
    found: policies,
    putFilter(filterId, key, cgroupIds) {
      const encoded = encodeKey(key);
      if (encoded === undefined) return err(`the policy's name is longer than ${KEY_BYTES} bytes`);
      const wanted = new Set(cgroupIds);
      const entry = entries.get(filterId);
      if (entry?.inner !== undefined) {
        const done = change(entry, entry.inner, wanted);
        count("policy-put", done.ok);
        return done;
      }
      entries.set(filterId, {
        ...{ key: encoded, members: wanted, inner: undefined, isPublished: false, error: "" },
      });
      proceed();
      return ok(undefined);
    },
    removeFilter(filterId) {
      const entry = entries.get(filterId);
      entries.delete(filterId);
      if (entry?.inner === undefined) return;
      leaving.set(filterId, entry.inner);
      proceed();
    },
    add(filterId, cgroupId) {
      const entry = entries.get(filterId);
      if (entry === undefined) return err("the policy has no map");
      const done = entry.inner?.update(toCgroupKey(cgroupId), present) ?? ok(undefined);
      count("cgroup-add", done.ok);
      if (done.ok) entry.members.add(cgroupId);
      return render(done);
    },
    remove(filterId, cgroupId) {
      const entry = entries.get(filterId);
      const done = entry?.inner?.delete(toCgroupKey(cgroupId)) ?? ok(true);
      count("cgroup-remove", done.ok);
      if (done.ok) entry?.members.delete(cgroupId);
      return render(done);
    },
    status(filterId) {
      const entry = entries.get(filterId);
      if (entry === undefined || entry.isPublished) return { kind: "in-force" };
      return entry.error === "" ? { kind: "loading" } : { kind: "failed", error: entry.error };
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
      for (const [id, map] of notRemoved) leaving.set(id, map);
      notRemoved.clear();
      proceed();
    },
    close() {
      outerMap.close();
      const inner = [...entries.values()].flatMap((entry) => entry.inner ?? []);
      for (const map of [...inner, ...leaving.values(), ...notRemoved.values(), outer, keys]) map.close();
    },
  });
}

const render = (done: Result<unknown, BpfError>): Result<void, string> =>
  done.ok ? ok(undefined) : err(renderBpfError(done.error));
