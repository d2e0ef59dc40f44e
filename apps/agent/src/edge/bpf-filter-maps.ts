// SPDX-License-Identifier: Apache-2.0
// The policy filter in the kernel, in the maps, names and places that Tetragon's own tools know
// (pkg/policyfilter/map.go): policy_filter_maps, a map of maps by policy id, holds a map of cgroup ids for each policy.
//
// One more map, policy_filter_keys, says which policy has which id. It is pinned beside the others and so lives and dies
// with them: an agent that starts anew gives each policy the id that its programs and its map already have.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bpf, type BpfError, type BpfMap, type MapSpec, renderBpfError } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import {
  decodeKey,
  encodeKey,
  KEY_BYTES,
  toCgroupIds,
  toCgroupKey,
  toIdKey,
  toPolicyIds,
} from "../core/filter-map-layout.ts";
import type { FilterMaps, FoundPolicy } from "../core/filter-maps.ts";
import { openPinnedMap } from "./open-pinned-map.ts";

const keysSpec: MapSpec = {
  type: "hash",
  name: "policy_filter_k",
  keySize: 4,
  valueSize: KEY_BYTES,
  maxEntries: 256,
};
const outerSpec: MapSpec = {
  type: "hash-of-maps",
  name: "policy_filter_m",
  keySize: 4,
  valueSize: 4,
  maxEntries: 128,
};
const innerSpec = (policyId: number): MapSpec => ({
  type: "hash",
  name: `policy_${policyId}_map`,
  keySize: 8,
  valueSize: 1,
  maxEntries: 32_768,
});
/** Nobody reads the values. */
const present = new Uint8Array(1);

/** `directory`: on a bpf file system; made if it is not there. The error is one line for people. */
export function openBpfFilterMaps(bpf: Bpf, directory: string, log: Logger): Result<FilterMaps, string> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    return err(`${directory} cannot be made: ${describeError(error)}`);
  }
  const onReplace = (path: string, why: string): void =>
    log.warn("a pinned map of another layout is replaced", { path, err: why });
  const outer = openPinnedMap(bpf, join(directory, "policy_filter_maps"), outerSpec, innerSpec(0), onReplace);
  if (!outer.ok) return outer;
  const keys = openPinnedMap(bpf, join(directory, "policy_filter_keys"), keysSpec, undefined, onReplace);
  if (!keys.ok) {
    outer.value.close();
    return keys;
  }
  return adopt(bpf, outer.value, keys.value);
}

function adopt(bpf: Bpf, outer: BpfMap, keys: BpfMap): Result<FilterMaps, string> {
  const inner = new Map<number, BpfMap>();
  const found = new Map<number, FoundPolicy>();
  const ids = outer.keys();
  if (!ids.ok) return err(renderBpfError(ids.error));
  for (const policyId of toPolicyIds(ids.value)) {
    const opened = openInner(policyId);
    if (!opened.ok) return err(renderBpfError(opened.error));
    if (opened.value === undefined) continue;
    const members = opened.value.keys();
    const key = keys.lookup(toIdKey(policyId));
    if (!members.ok) return err(renderBpfError(members.error));
    if (!key.ok) return err(renderBpfError(key.error));
    inner.set(policyId, opened.value);
    const cgroupIds = new Set(toCgroupIds(members.value));
    found.set(policyId, { key: key.value === undefined ? "" : decodeKey(key.value), cgroupIds });
  }

  function openInner(policyId: number): Result<BpfMap | undefined, BpfError> {
    const mapId = outer.lookup(toIdKey(policyId));
    if (!mapId.ok || mapId.value === undefined) return mapId.ok ? ok(undefined) : mapId;
    return bpf.openById(new DataView(mapId.value.buffer).getUint32(0, true));
  }

  const render = (done: Result<unknown, BpfError>): Result<void, string> =>
    done.ok ? ok(undefined) : err(renderBpfError(done.error));

  return ok({
    found,
    putPolicy(policyId, key, cgroupIds) {
      const encoded = encodeKey(key);
      if (encoded === undefined) return err(`the policy's name is longer than ${KEY_BYTES} bytes`);
      const made = bpf.createMap(innerSpec(policyId));
      if (!made.ok) return render(made);
      // Its name first, its contents next, and then all of it at once for those who look.
      const steps = [
        () => keys.update(toIdKey(policyId), encoded),
        () => made.value.updateMany(toCgroupKey(...cgroupIds), present),
        () => outer.update(toIdKey(policyId), new Uint8Array(new Uint32Array([made.value.fd]).buffer)),
      ];
      for (const step of steps) {
        const done = step();
        if (done.ok) continue;
        made.value.close();
        if (!inner.has(policyId)) keys.delete(toIdKey(policyId));
        return render(done);
      }
      inner.get(policyId)?.close();
      inner.set(policyId, made.value);
      return ok(undefined);
    },
    removePolicy(policyId) {
      const done = outer.delete(toIdKey(policyId));
      if (!done.ok) return render(done);
      inner.get(policyId)?.close();
      inner.delete(policyId);
      return render(keys.delete(toIdKey(policyId)));
    },
    add: (policyId, cgroupId) => {
      const map = inner.get(policyId);
      return map === undefined
        ? err("the policy has no map")
        : render(map.update(toCgroupKey(cgroupId), present));
    },
    remove: (policyId, cgroupId) => {
      const map = inner.get(policyId);
      return map === undefined ? ok(undefined) : render(map.delete(toCgroupKey(cgroupId)));
    },
    close() {
      for (const map of [...inner.values(), outer, keys]) map.close();
    },
  });
}
