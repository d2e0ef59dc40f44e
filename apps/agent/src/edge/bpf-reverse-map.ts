// SPDX-License-Identifier: Apache-2.0
// policy_filter_cgroup_maps, as Tetragon's own tools read it (pkg/policyfilter/map.go): for each cgroup a map of the ids of
// its policies. Nothing in the kernel decides by it. A cgroup that comes or goes changes a map of maps, for which the
// kernel waits 5 to 20 ms (an RCU grace period), so this runs where nobody waits for it.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Bpf, type BpfMap, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import { toCgroupIds, toCgroupKey, toIdKey, toPolicyIds } from "../core/filter-map-layout.ts";
import { openPinnedMap } from "./open-pinned-map.ts";

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

export interface ReverseMap {
  /** Cgroups that are there. */
  list(): Result<readonly bigint[], string>;
  /** In place of what is there; without policies the cgroup is taken out. */
  put(cgroupId: bigint, policyIds: readonly number[]): Result<void, string>;
  close(): void;
}

/** An agent without this map must not leave one that nobody keeps right. */
export function removeReverseMap(directory: string): void {
  rmSync(join(directory, NAME), { force: true });
}

export function openReverseMap(
  bpf: Bpf,
  directory: string,
  onReplace: (path: string, why: string) => void,
): Result<ReverseMap, string> {
  const opened = openPinnedMap(bpf, join(directory, NAME), outerSpec, innerSpec(0n), onReplace);
  return opened.ok ? ok(toReverseMap(bpf, opened.value)) : opened;
}

function toReverseMap(bpf: Bpf, outer: BpfMap): ReverseMap {
  const fail = (error: Parameters<typeof renderBpfError>[0]): Result<never, string> =>
    err(renderBpfError(error));

  const change = (map: BpfMap, policyIds: readonly number[]): Result<void, string> => {
    const found = map.keys();
    if (!found.ok) return fail(found.error);
    const before = new Set(toPolicyIds(found.value));
    for (const policyId of policyIds) {
      const added = before.delete(policyId) ? ok(undefined) : map.update(toIdKey(policyId), present);
      if (!added.ok) return fail(added.error);
    }
    for (const policyId of before) {
      const removed = map.delete(toIdKey(policyId));
      if (!removed.ok) return fail(removed.error);
    }
    return ok(undefined);
  };

  const make = (cgroupId: bigint, policyIds: readonly number[]): Result<void, string> => {
    const made = bpf.createMap(innerSpec(cgroupId));
    if (!made.ok) return fail(made.error);
    try {
      const filled = change(made.value, policyIds);
      if (!filled.ok) return filled;
      const value = new Uint8Array(new Uint32Array([made.value.fd]).buffer);
      const done = outer.update(toCgroupKey(cgroupId), value);
      return done.ok ? ok(undefined) : fail(done.error);
    } finally {
      made.value.close();
    }
  };

  return {
    list() {
      const keys = outer.keys();
      return keys.ok ? ok(toCgroupIds(keys.value)) : fail(keys.error);
    },
    put(cgroupId, policyIds) {
      const key = toCgroupKey(cgroupId);
      if (policyIds.length === 0) {
        const removed = outer.delete(key);
        return removed.ok ? ok(undefined) : fail(removed.error);
      }
      const mapId = outer.lookup(key);
      if (!mapId.ok) return fail(mapId.error);
      if (mapId.value === undefined) return make(cgroupId, policyIds);
      const inner = bpf.openById(new DataView(mapId.value.buffer).getUint32(0, true));
      if (!inner.ok) return fail(inner.error);
      if (inner.value === undefined) return make(cgroupId, policyIds);
      const done = change(inner.value, policyIds);
      inner.value.close();
      return done;
    },
    close: () => outer.close(),
  };
}
