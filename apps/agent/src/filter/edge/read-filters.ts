// SPDX-License-Identifier: Apache-2.0
// The contents of policy_filter_maps.

import { type Bpf, type BpfMap, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import { decodeKey, toCgroupIds, toFilterIds, toIdKey, toMapId } from "../core/filter-map-layout.ts";
import type { PinReports } from "./pinned-map.ts";

export interface AdoptedFilter {
  readonly inner: BpfMap;
  /** Empty for an unnamed filter. */
  readonly key: string;
  readonly cgroupIds: Set<bigint>;
}

/** Ignores filters whose map has no cgroup ids. Adds every map that it opens to `opened`. */
export function readFilters(
  bpf: Bpf,
  outer: BpfMap,
  keys: BpfMap,
  reports: PinReports,
  opened: Set<BpfMap>,
): Result<readonly (readonly [filterId: number, filter: AdoptedFilter])[], string> {
  const ids = outer.keys();
  if (!ids.ok) return err(renderBpfError(ids.error));
  const filters: (readonly [number, AdoptedFilter])[] = [];
  for (const filterId of toFilterIds(ids.value)) {
    const inner = openInner(bpf, outer, filterId);
    if (!inner.ok) return inner;
    if (inner.value === undefined) continue;
    opened.add(inner.value);
    if (inner.value.info.keySize !== 8) {
      reports.problem(
        `ignoring filter ${filterId} of policy_filter_maps: the keys of its map are not cgroup ids`,
      );
      continue;
    }
    const cgroupKeys = inner.value.keys();
    if (!cgroupKeys.ok) return err(renderBpfError(cgroupKeys.error));
    const key = keys.lookup(toIdKey(filterId));
    if (!key.ok) return err(renderBpfError(key.error));
    const text = key.value === undefined ? "" : decodeKey(key.value);
    const cgroupIds = new Set(toCgroupIds(cgroupKeys.value));
    filters.push([filterId, { inner: inner.value, key: text, cgroupIds }]);
  }
  return ok(filters);
}

/** Undefined for a filter that another program has just removed. */
function openInner(bpf: Bpf, outer: BpfMap, filterId: number): Result<BpfMap | undefined, string> {
  const mapId = outer.lookup(toIdKey(filterId));
  if (!mapId.ok) return err(renderBpfError(mapId.error));
  if (mapId.value === undefined) return ok(undefined);
  const inner = bpf.openById(toMapId(mapId.value));
  return inner.ok ? inner : err(renderBpfError(inner.error));
}
