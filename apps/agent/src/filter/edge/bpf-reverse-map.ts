// SPDX-License-Identifier: Apache-2.0
// policy_filter_cgroup_maps, as Tetragon's own tools read it (pkg/policyfilter/map.go): for each cgroup a map of the ids of
// its policies. Nothing in the kernel decides by it. A cgroup that comes or goes changes a map of maps, for which the
// kernel waits 5 to 20 ms (an RCU grace period), so this runs where nobody waits for it.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Bpf, type BpfMap, findMismatch, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { toCgroupIds, toCgroupKey, toFilterIds, toIdKey, toMapId } from "../core/filter-map-layout.ts";
import { keepPinned, openPinnedMap, type PinReports } from "./pinned-map.ts";

const NAME = "policy_filter_cgroup_maps";

const outerSpec: MapSpec = {
  type: "hash-of-maps",
  name: "policy_filter_c",
  keySize: 8,
  valueSize: 4,
  maxEntries: 1024,
};
const innerSpec = (cgroupId: bigint): MapSpec => ({
  type: "hash",
  name: `cgroup_${cgroupId}_map`,
  keySize: 4,
  valueSize: 1,
  maxEntries: 128,
});
const present = new Uint8Array(1);

/** Without policies the cgroup is taken out. */
export type CgroupFilters = readonly [cgroupId: bigint, filterIds: readonly number[]];

export interface ReverseMap {
  /** Cgroups that are there. */
  list(): Result<readonly bigint[], string>;
  /** In place of what is there, all cgroups that come and all that go in one call each. Gives those that failed, with why. */
  put(changes: readonly CgroupFilters[]): ReadonlyMap<bigint, string>;
  /** True: something else was in its place, or nothing, and it is pinned again. */
  keepPinned(): Result<boolean, string>;
  close(): void;
}

/** An agent without this map must not leave one that is not kept right. The error is one line for people. */
export function removeReverseMap(directory: string): Result<void, string> {
  const path = join(directory, NAME);
  try {
    rmSync(path, { force: true });
    return ok(undefined);
  } catch (error) {
    return err(`${path} cannot be removed: ${describeError(error)}; remove it by hand`);
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

  /** One that does not fit is followed by none that does: all of them are new. */
  const insert = (made: ReadonlyMap<bigint, BpfMap>): ReadonlyMap<bigint, string> => {
    if (made.size === 0) return new Map();
    const cgroupIds = [...made.keys()];
    const fds = new Uint32Array([...made.values()].map(({ fd }) => fd));
    const { done, error } = outer.updateBatch(toCgroupKey(...cgroupIds), new Uint8Array(fds.buffer));
    if (error === undefined) return new Map();
    return new Map(cgroupIds.slice(done).map((cgroupId) => [cgroupId, renderBpfError(error)]));
  };

  const isThere = (cgroupId: bigint): boolean => {
    const found = outer.lookup(toCgroupKey(cgroupId));
    return !found.ok || found.value !== undefined;
  };

  /** Undefined where there is none, or one of another layout, in the place of which a right one is put. */
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
      // First, so that there is room for others; one that is not there would end the call.
      const gone = changes
        .filter(([cgroupId, filterIds]) => filterIds.length === 0 && isThere(cgroupId))
        .map(([cgroupId]) => cgroupId);
      const removed = gone.length === 0 ? ok(undefined) : outer.deleteMany(toCgroupKey(...gone));
      if (!removed.ok) for (const cgroupId of gone) failures.set(cgroupId, renderBpfError(removed.error));

      const made = new Map<bigint, BpfMap>();
      for (const [cgroupId, filterIds] of changes) {
        if (filterIds.length === 0) continue;
        const inner = openInner(cgroupId);
        const there = inner.ok ? inner.value : undefined;
        const done = !inner.ok
          ? inner
          : there === undefined
            ? fill(cgroupId, filterIds)
            : change(there, filterIds);
        there?.close();
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
