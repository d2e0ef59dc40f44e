// SPDX-License-Identifier: Apache-2.0
// Filter membership: which cgroups belong to which filter, as a function of containers and filters. Each call returns the
// changes that it makes; its cost depends on what it matches, not on how many containers and filters exist.

import type { Labels } from "@rthooks/oci";
import { ALL_PODS_ID, allPods, type Filter, HOST_MARKER, matchesFilter, toPodLabels } from "./filter.ts";
import { createFilterIndex, findByFilter } from "./filter-index.ts";
import { type FilteredContainer, hasPod } from "./filtered-container.ts";
import { createLabelIndex } from "./label-index.ts";

export type MembershipChange =
  /** Replaces the filter that had the id, if one had it. */
  | { readonly kind: "filter.put"; readonly filterId: number; readonly cgroupIds: readonly bigint[] }
  | { readonly kind: "filter.removed"; readonly filterId: number }
  | {
      readonly kind: "cgroup.added" | "cgroup.removed";
      readonly filterId: number;
      readonly cgroupId: bigint;
    };

export interface FilterMembership {
  /** Replaces the filter that had the id. */
  putFilter(filterId: number, filter: Filter): Extract<MembershipChange, { kind: "filter.put" }>;
  /** No change for an unknown id and for that of all pods. */
  removeFilter(filterId: number): readonly MembershipChange[];
  /** Replaces the container that had the container id. */
  putContainer(container: FilteredContainer): readonly MembershipChange[];
  removeContainer(containerId: string): readonly MembershipChange[];
  findContainer(containerId: string): FilteredContainer | undefined;
  containers(): Iterable<FilteredContainer>;
  /** All filters, that of all pods included. */
  filterIds(): Iterable<number>;
  hasFilter(filterId: number): boolean;
  isMember(filterId: number, cgroupId: bigint): boolean;
  /** The number of cgroups of each filter, `HOST_MARKER` included. */
  sizes(): Iterable<readonly [filterId: number, cgroups: number]>;
  /** The filter's cgroups, `HOST_MARKER` included; undefined for an unknown filter. */
  cgroupIdsOf(filterId: number): ReadonlySet<bigint> | undefined;
}

interface FilterEntry {
  readonly filter: Filter;
  /** For each cgroup the number of containers that it comes from. */
  readonly cgroups: Map<bigint, number>;
}

interface ContainerEntry {
  readonly container: FilteredContainer;
  readonly podLabels: Labels;
  readonly filterIds: Set<number>;
}

export function createFilterMembership(): FilterMembership {
  const filters = new Map<number, FilterEntry>();
  const entries = new Map<string, ContainerEntry>();
  const containersByLabel = createLabelIndex<string>();
  const filterIndex = createFilterIndex();
  filters.set(ALL_PODS_ID, { filter: allPods, cgroups: new Map() });
  filterIndex.add(ALL_PODS_ID, allPods);

  const join = (filterId: number, cgroupId: bigint, changes: MembershipChange[]): void => {
    const cgroups = filters.get(filterId)?.cgroups;
    const count = cgroups?.get(cgroupId) ?? 0;
    cgroups?.set(cgroupId, count + 1);
    if (count === 0) changes.push({ kind: "cgroup.added", filterId, cgroupId });
  };

  const leave = (filterId: number, cgroupId: bigint, changes: MembershipChange[]): void => {
    const cgroups = filters.get(filterId)?.cgroups;
    const count = cgroups?.get(cgroupId) ?? 0;
    if (count > 1) cgroups?.set(cgroupId, count - 1);
    else if (cgroups?.delete(cgroupId) === true) changes.push({ kind: "cgroup.removed", filterId, cgroupId });
  };

  const findFilters = (container: FilteredContainer, podLabels: Labels): Set<number> => {
    const found = new Set<number>();
    if (!hasPod(container)) return found;
    for (const filterId of filterIndex.candidates(podLabels)) {
      const entry = filters.get(filterId);
      if (entry !== undefined && matchesFilter(entry.filter, container, podLabels)) found.add(filterId);
    }
    return found;
  };

  const findContainers = (filter: Filter): Iterable<string> =>
    findByFilter(containersByLabel, filter) ?? entries.keys();

  const removeFilter = (filterId: number): readonly MembershipChange[] => {
    const entry = filters.get(filterId);
    if (entry === undefined) return [];
    filters.delete(filterId);
    filterIndex.remove(filterId, entry.filter);
    for (const containerId of findContainers(entry.filter))
      entries.get(containerId)?.filterIds.delete(filterId);
    return [{ kind: "filter.removed", filterId }];
  };

  const removeLabels = ({ container, podLabels }: ContainerEntry): void => {
    for (const [key, value] of podLabels) containersByLabel.remove(key, value, container.containerId);
  };

  return {
    putFilter(filterId, filter) {
      removeFilter(filterId);
      const cgroups = new Map<bigint, number>();
      filters.set(filterId, { filter, cgroups });
      filterIndex.add(filterId, filter);
      if (filter.hostSelector) cgroups.set(HOST_MARKER, 1);
      for (const containerId of findContainers(filter)) {
        const entry = entries.get(containerId);
        if (entry === undefined || !matchesFilter(filter, entry.container, entry.podLabels)) continue;
        entry.filterIds.add(filterId);
        const { cgroupId } = entry.container;
        cgroups.set(cgroupId, (cgroups.get(cgroupId) ?? 0) + 1);
      }
      return { kind: "filter.put", filterId, cgroupIds: [...cgroups.keys()] };
    },
    removeFilter: (filterId) => (filterId === ALL_PODS_ID ? [] : removeFilter(filterId)),
    putContainer(container) {
      const { containerId, cgroupId } = container;
      const old = entries.get(containerId);
      if (old !== undefined) removeLabels(old);
      const podLabels = toPodLabels(container);
      const filterIds = findFilters(container, podLabels);
      entries.set(containerId, { container, podLabels, filterIds });
      for (const [key, value] of podLabels) containersByLabel.add(key, value, containerId);

      const changes: MembershipChange[] = [];
      const isSameCgroup = old?.container.cgroupId === cgroupId;
      // Additions first, so that a cgroup that stays in a filter never leaves it.
      for (const id of filterIds)
        if (!isSameCgroup || old?.filterIds.has(id) !== true) join(id, cgroupId, changes);
      if (old === undefined) return changes;
      for (const id of old.filterIds)
        if (!isSameCgroup || !filterIds.has(id)) leave(id, old.container.cgroupId, changes);
      return changes;
    },
    removeContainer(containerId) {
      const entry = entries.get(containerId);
      if (entry === undefined) return [];
      entries.delete(containerId);
      removeLabels(entry);
      const changes: MembershipChange[] = [];
      for (const filterId of entry.filterIds) leave(filterId, entry.container.cgroupId, changes);
      return changes;
    },
    findContainer: (containerId) => entries.get(containerId)?.container,
    *containers() {
      for (const { container } of entries.values()) yield container;
    },
    filterIds: () => filters.keys(),
    hasFilter: (filterId) => filters.has(filterId),
    isMember: (filterId, cgroupId) => filters.get(filterId)?.cgroups.has(cgroupId) === true,
    sizes: () => [...filters].map(([filterId, { cgroups }]) => [filterId, cgroups.size]),
    cgroupIdsOf: (filterId) => {
      const entry = filters.get(filterId);
      return entry === undefined ? undefined : new Set(entry.cgroups.keys());
    },
  };
}
