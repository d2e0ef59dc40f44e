// SPDX-License-Identifier: Apache-2.0
// Inherited entries: cgroup ids that the pinned maps held when this agent started and that no container has taken over yet.
// An entry stays until it is known to be wrong, because its container would run without its policies until it is reported
// again.

import { HOST_MARKER } from "@rthooks/policy";
import type { FoundFilter } from "./filter-maps.ts";

export interface InheritedEntries {
  /** The entry belongs to a known container now and is inherited no longer. False: there was no such entry. */
  takeOver(filterId: number, cgroupId: bigint): boolean;
  /** Removes the cgroup from the selected filters; returns those that had it. */
  removeCgroup(cgroupId: bigint, isSelected: (filterId: number) => boolean): readonly number[];
  removeFilter(filterId: number): void;
  /** Undefined for a filter that was not inherited. */
  cgroupIdsOf(filterId: number): ReadonlySet<bigint> | undefined;
  /** Of all filters, without `HOST_MARKER`. */
  cgroupIds(): ReadonlySet<bigint>;
  filterIds(): readonly number[];
}

export function createInheritedEntries(found: ReadonlyMap<number, FoundFilter>): InheritedEntries {
  const filters = new Map([...found].map(([filterId, { cgroupIds }]) => [filterId, new Set(cgroupIds)]));
  /** Entries of all filters. It is 0 most of an agent's life, and then no filter is searched. */
  let count = [...filters.values()].reduce((sum, { size }) => sum + size, 0);
  const remove = (filterId: number, cgroupId: bigint): boolean => {
    if (filters.get(filterId)?.delete(cgroupId) !== true) return false;
    count--;
    return true;
  };
  return {
    takeOver: remove,
    removeCgroup: (cgroupId, isSelected) =>
      count === 0 ? [] : [...filters.keys()].filter((id) => isSelected(id) && remove(id, cgroupId)),
    removeFilter(filterId) {
      count -= filters.get(filterId)?.size ?? 0;
      filters.delete(filterId);
    },
    cgroupIdsOf: (filterId) => filters.get(filterId),
    cgroupIds: () =>
      new Set([...filters.values()].flatMap((ids) => [...ids].filter((id) => id !== HOST_MARKER))),
    filterIds: () => [...filters.keys()],
  };
}
