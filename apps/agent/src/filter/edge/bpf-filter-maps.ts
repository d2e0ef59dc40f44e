// SPDX-License-Identifier: Apache-2.0
// The filter maps in the kernel, with the names and layouts that Tetragon's own tools know (pkg/policyfilter/map.go):
// policy_filter_maps, a map of maps by filter id, holds a map of cgroup ids for each filter.
//
// This project adds policy_filter_keys, which has the key of each filter id. It is pinned beside the others, so that a
// filter has the same id after a restart of the agent, and the keys disappear together with the maps.
//
// The map of a filter is changed at once, by this thread; the map of maps is changed later (filter-publisher.ts).

import { type Bpf, type BpfError, type BpfMap, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import type { FilterOperation } from "../../base/core/agent-metrics.ts";
import type { MapFill } from "../../base/core/agent-state-metrics.ts";
import { encodeKey, KEY_BYTES, toCgroupKey, toCgroupKeys } from "../core/filter-map-layout.ts";
import type { FilterMaps } from "../core/filter-maps.ts";
import { adoptFilterMaps } from "./adopt-filter-maps.ts";
import { innerSpec, present } from "./filter-map-specs.ts";
import { createFilterPublisher, type FilterEntry } from "./filter-publisher.ts";
import type { OuterMap } from "./outer-map.ts";
import type { PinReports } from "./pinned-map.ts";

export interface BpfFilterMaps extends FilterMaps {
  /** By the names of their pins. */
  readonly pinned: Readonly<Record<string, BpfMap>>;
  fill(): readonly MapFill[];
}

interface FilterMapsOptions {
  readonly reports: PinReports;
  readonly openOuter: (bpf: Bpf, outer: BpfMap) => OuterMap;
  count(operation: FilterOperation, succeeded: boolean): void;
}

/** `directory`: on a bpf file system. The error is one line. */
export function openBpfFilterMaps(
  bpf: Bpf,
  directory: string,
  { reports, openOuter, count }: FilterMapsOptions,
): Result<BpfFilterMaps, string> {
  const adopted = adoptFilterMaps(bpf, directory, reports);
  if (!adopted.ok) return adopted;
  const { outer, keys, filters } = adopted.value;
  const entries = new Map<number, FilterEntry>();
  for (const [filterId, { inner, key, cgroupIds }] of filters) {
    const encoded = encodeKey(key) ?? new Uint8Array(KEY_BYTES);
    entries.set(filterId, {
      ...{ key: encoded, cgroupIds: new Set(cgroupIds), inner, isPublished: true, error: "" },
    });
  }
  const publisher = createFilterPublisher({ entries, outerMap: openOuter(bpf, outer), keys, count });

  return ok({
    pinned: { policy_filter_maps: outer, policy_filter_keys: keys },
    found: filters,
    putFilter(filterId, key, cgroupIds) {
      const encoded = encodeKey(key);
      if (encoded === undefined) return err(`the policy's name is longer than ${KEY_BYTES} bytes`);
      const wanted = new Set(cgroupIds);
      const entry = entries.get(filterId);
      if (entry?.inner !== undefined) {
        const done = replaceCgroups(entry, entry.inner, wanted);
        count("policy-put", done.ok);
        return done;
      }
      entries.set(filterId, {
        ...{ key: encoded, cgroupIds: wanted, inner: undefined, isPublished: false, error: "" },
      });
      publisher.publish();
      return ok(undefined);
    },
    removeFilter(filterId) {
      const entry = entries.get(filterId);
      entries.delete(filterId);
      if (entry?.inner !== undefined) publisher.remove(filterId, entry.inner);
    },
    add(filterId, cgroupId) {
      const entry = entries.get(filterId);
      if (entry === undefined) return err("the filter has no map");
      const done = entry.inner?.update(toCgroupKey(cgroupId), present) ?? ok(undefined);
      count("cgroup-add", done.ok);
      if (done.ok) entry.cgroupIds.add(cgroupId);
      return render(done);
    },
    remove(filterId, cgroupId) {
      const entry = entries.get(filterId);
      const done = entry?.inner?.delete(toCgroupKey(cgroupId)) ?? ok(true);
      count("cgroup-remove", done.ok);
      if (done.ok) entry?.cgroupIds.delete(cgroupId);
      return render(done);
    },
    status(filterId) {
      const entry = entries.get(filterId);
      if (entry === undefined || entry.isPublished) return { kind: "in-force" };
      return entry.error === "" ? { kind: "loading" } : { kind: "failed", error: entry.error };
    },
    fill() {
      const made = [...entries.values()].filter(({ inner }) => inner !== undefined);
      const fullest = Math.max(0, ...made.map(({ cgroupIds }) => cgroupIds.size));
      return [
        { map: "policy_filter_maps", entries: made.length, capacity: outer.info.maxEntries },
        { map: "policy_map", entries: fullest, capacity: innerSpec(0).maxEntries },
      ];
    },
    settled: publisher.settled,
    retry: publisher.retry,
    close() {
      publisher.close();
      const inner = [...entries.values()].flatMap((entry) => entry.inner ?? []);
      for (const map of [...inner, outer, keys]) map.close();
    },
  });
}

/** Additions first, so that a cgroup that stays is always there. After an error the map is as it was. */
function replaceCgroups(
  { cgroupIds }: FilterEntry,
  inner: BpfMap,
  wanted: ReadonlySet<bigint>,
): Result<void, string> {
  const added = [...wanted].filter((id) => !cgroupIds.has(id));
  const removed = [...cgroupIds].filter((id) => !wanted.has(id));
  const put = inner.updateMany(toCgroupKeys(added), present);
  if (!put.ok) {
    inner.deleteMany(toCgroupKeys(added));
    return render(put);
  }
  const taken = inner.deleteMany(toCgroupKeys(removed));
  if (!taken.ok) return render(taken);
  for (const id of added) cgroupIds.add(id);
  for (const id of removed) cgroupIds.delete(id);
  return ok(undefined);
}

const render = (done: Result<unknown, BpfError>): Result<void, string> =>
  done.ok ? ok(undefined) : err(renderBpfError(done.error));
