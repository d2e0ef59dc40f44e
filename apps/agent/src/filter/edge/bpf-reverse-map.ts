// SPDX-License-Identifier: Apache-2.0
// policy_filter_cgroup_maps, as Tetragon's own tools read it (pkg/policyfilter/map.go): for each cgroup a map of its filter
// ids. No BPF program uses it. Adding or removing a cgroup changes a map of maps, for which the kernel waits 5 to 20 ms (an
// RCU grace period), so this runs in a thread of its own.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Bpf, type BpfMap, findMismatch, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { toCgroupIds, toCgroupKey, toFilterIds, toIdKey, toMapId } from "../core/filter-map-layout.ts";
import { keepPinned, openPinnedMap, type PinReports } from "./pinned-map.ts";

const NAME = "policy_filter_cgroup_maps";

/** Cgroups that the map can have. */
export const REVERSE_ENTRIES = 1024;

const outerSpec: MapSpec = {
  type: "hash-of-maps",
  name: "policy_filter_c",
  keySize: 8,
  valueSize: 4,
  maxEntries: REVERSE_ENTRIES,
};
const innerSpec = (cgroupId: bigint): MapSpec => ({
  type: "hash",
  name: `cgroup_${cgroupId}_map`,
  keySize: 4,
  valueSize: 1,
  maxEntries: 128,
});
const present = new Uint8Array(1);

/** Without filters the cgroup is removed. */
export type CgroupFilters = readonly [cgroupId: bigint, filterIds: readonly number[]];

export interface ReverseMap {
  /** All cgroups of the map. */
  list(): Result<readonly bigint[], string>;
  /** Sets the filters of these cgroups, with one call for all removals and one for all additions. Returns the failures. */
  put(changes: readonly CgroupFilters[]): ReadonlyMap<bigint, string>;
  /** Pins the map again where its pin is missing or another object; true: it was pinned again. */
  keepPinned(): Result<boolean, string>;
  close(): void;
}

/** For an agent without this map, so that no outdated one remains. The error is one line. */
export function removeReverseMap(directory: string): Result<void, string> {
  const path = join(directory, NAME);
  try {
    rmSync(path, { force: true });
    return ok(undefined);
  } catch (error) {
    return err(`cannot remove ${path}: ${describeError(error)}; remove it by hand`);
  }
}

export function openReverseMap(bpf: Bpf, directory: string, reports: PinReports): Result<ReverseMap, string> {
  const path = join(directory, NAME);
  const opened = openPinnedMap({ bpf, path, spec: outerSpec, inner: innerSpec(0n), reports });
  return opened.ok ? ok(toReverseMap(bpf, path, opened.value)) : opened;
}

function toReverseMap(bpf: Bpf, path: string, outer: BpfMap): ReverseMap {
  const fail = (error: Parameters<typeof renderBpfError>[0]): Result<never, string> =>
    err(renderBpfError(error));

  const change = (map: BpfMap, filterIds: readonly number[]): Result<void, string> => {
    const found = map.keys();
    if (!found.ok) return fail(found.error);
    const before = new Set(toFilterIds(found.value));
    for (const filterId of filterIds) {
      const added = before.delete(filterId) ? ok(undefined) : map.update(toIdKey(filterId), present);
      if (!added.ok) return fail(added.error);
    }
    for (const filterId of before) {
      const removed = map.delete(toIdKey(filterId));
      if (!removed.ok) return fail(removed.error);
    }
    return ok(undefined);
  };

  const fill = (cgroupId: bigint, filterIds: readonly number[]): Result<BpfMap, string> => {
    const made = bpf.createMap(innerSpec(cgroupId));
    if (!made.ok) return fail(made.error);
    const filled = change(made.value, filterIds);
    if (filled.ok) return ok(made.value);
    made.value.close();
    return filled;
  };

  /** All of these cgroups are new: after one that does not fit, none fits. */
  const insert = (made: ReadonlyMap<bigint, BpfMap>): ReadonlyMap<bigint, string> => {
    if (made.size === 0) return new Map();
    const cgroupIds = [...made.keys()];
    const fds = new Uint32Array([...made.values()].map(({ fd }) => fd));
    const { done, error } = outer.updateBatch(toCgroupKey(...cgroupIds), new Uint8Array(fds.buffer));
    if (error === undefined) return new Map();
    return new Map(cgroupIds.slice(done).map((cgroupId) => [cgroupId, renderBpfError(error)]));
  };

  const exists = (cgroupId: bigint): boolean => {
    const found = outer.lookup(toCgroupKey(cgroupId));
    return !found.ok || found.value !== undefined;
  };

  /** Undefined where there is none, or one with an unexpected layout, which is replaced. */
  const openInner = (cgroupId: bigint): Result<BpfMap | undefined, string> => {
    const mapId = outer.lookup(toCgroupKey(cgroupId));
    if (!mapId.ok) return fail(mapId.error);
    if (mapId.value === undefined) return ok(undefined);
    const inner = bpf.openById(toMapId(mapId.value));
    if (!inner.ok) return fail(inner.error);
    if (inner.value === undefined || findMismatch(inner.value.info, innerSpec(cgroupId)) === undefined)
      return inner;
    inner.value.close();
    return ok(undefined);
  };

  return {
    list() {
      const keys = outer.keys();
      return keys.ok ? ok(toCgroupIds(keys.value)) : fail(keys.error);
    },
    put(changes) {
      const failures = new Map<bigint, string>();
      // Removals first, to make room. A cgroup that is not in the map would end the call.
      const gone = changes
        .filter(([cgroupId, filterIds]) => filterIds.length === 0 && exists(cgroupId))
        .map(([cgroupId]) => cgroupId);
      const removed = gone.length === 0 ? ok(undefined) : outer.deleteMany(toCgroupKey(...gone));
      if (!removed.ok) for (const cgroupId of gone) failures.set(cgroupId, renderBpfError(removed.error));

      const made = new Map<bigint, BpfMap>();
      for (const [cgroupId, filterIds] of changes) {
        if (filterIds.length === 0) continue;
        const inner = openInner(cgroupId);
        const existing = inner.ok ? inner.value : undefined;
        const done = !inner.ok
          ? inner
          : existing === undefined
            ? fill(cgroupId, filterIds)
            : change(existing, filterIds);
        existing?.close();
        if (!done.ok) failures.set(cgroupId, done.error);
        else if (done.value !== undefined) made.set(cgroupId, done.value);
      }
      for (const [cgroupId, error] of insert(made)) failures.set(cgroupId, error);
      for (const map of made.values()) map.close();
      return failures;
    },
    keepPinned: () => keepPinned(bpf, outer, path),
    close: () => outer.close(),
  };
}
