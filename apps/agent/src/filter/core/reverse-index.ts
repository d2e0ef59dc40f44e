// SPDX-License-Identifier: Apache-2.0
// The filter maps in reverse: the filters of each cgroup.

import { HOST_MARKER } from "@rthooks/policy";
import type { FilterMaps } from "./filter-maps.ts";

export interface ReverseIndex {
  /** The same maps; changes through them update the index. */
  readonly maps: FilterMaps;
  filterIdsOf(cgroupId: bigint): readonly number[];
  /** All cgroups that belong to a filter. */
  cgroupIds(): Iterable<bigint>;
  /** How many these are. */
  count(): number;
}

/** `onChange`: the cgroup's filters have changed. It is not called for what the maps hold at the beginning. */
export function indexReverse(maps: FilterMaps, onChange: (cgroupId: bigint) => void): ReverseIndex {
  const filtersOf = new Map<bigint, Set<number>>();
  const cgroupsOf = new Map<number, Set<bigint>>();

  const record = (filterId: number, cgroupId: bigint): void => {
    // The host marker is not a cgroup id.
    if (cgroupId === HOST_MARKER) return;
    cgroupsOf.set(filterId, (cgroupsOf.get(filterId) ?? new Set()).add(cgroupId));
    filtersOf.set(cgroupId, (filtersOf.get(cgroupId) ?? new Set()).add(filterId));
  };
  const join = (filterId: number, cgroupId: bigint): void => {
    record(filterId, cgroupId);
    if (cgroupId !== HOST_MARKER) onChange(cgroupId);
  };
  const leave = (filterId: number, cgroupId: bigint): void => {
    const filterIds = filtersOf.get(cgroupId);
    if (filterIds?.delete(filterId) !== true) return;
    cgroupsOf.get(filterId)?.delete(cgroupId);
    if (filterIds.size === 0) filtersOf.delete(cgroupId);
    onChange(cgroupId);
  };

  for (const [filterId, { cgroupIds }] of maps.found)
    for (const cgroupId of cgroupIds) record(filterId, cgroupId);

  const indexed: FilterMaps = {
    ...maps,
    putFilter(filterId, key, cgroupIds) {
      const wanted = new Set(cgroupIds);
      const done = maps.putFilter(filterId, key, wanted);
      if (!done.ok) return done;
      for (const cgroupId of wanted)
        if (filtersOf.get(cgroupId)?.has(filterId) !== true) join(filterId, cgroupId);
      for (const cgroupId of cgroupsOf.get(filterId) ?? [])
        if (!wanted.has(cgroupId)) leave(filterId, cgroupId);
      return done;
    },
    removeFilter(filterId) {
      maps.removeFilter(filterId);
      for (const cgroupId of cgroupsOf.get(filterId) ?? []) leave(filterId, cgroupId);
      cgroupsOf.delete(filterId);
    },
    add(filterId, cgroupId) {
      const done = maps.add(filterId, cgroupId);
      if (done.ok) join(filterId, cgroupId);
      return done;
    },
    remove(filterId, cgroupId) {
      const done = maps.remove(filterId, cgroupId);
      if (done.ok) leave(filterId, cgroupId);
      return done;
    },
  };

  return {
    maps: indexed,
    filterIdsOf: (cgroupId) => [...(filtersOf.get(cgroupId) ?? [])],
    cgroupIds: () => filtersOf.keys(),
    count: () => filtersOf.size,
  };
}
