// SPDX-License-Identifier: Apache-2.0
// The policy filter: keeps, for every filter, the cgroup ids of the containers that it matches. Containers come from the
// lifecycle, filters from the policy loader; both become changes of the filter maps.

import type { Logger } from "@rthooks/log";
import {
  ALL_PODS_ID,
  createFilterMembership,
  type Filter,
  type FilteredContainer,
  isSameFilter,
} from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { FailedChanges } from "./failed-changes.ts";
import { createFilterIds, type FilterLimits, noLimits } from "./filter-ids.ts";
import type { FilterMaps, FilterStatus } from "./filter-maps.ts";
import { createFilterQueue } from "./filter-queue.ts";
import { createFilterWriter } from "./filter-writer.ts";
import { createInheritedCleanup } from "./inherited-cleanup.ts";
import { createInheritedEntries } from "./inherited-entries.ts";
import { listNamed, listUnnamed, renderUnnamed } from "./unnamed-filters.ts";

/** The pod of these containers as it is known now. */
export interface PodUpdate
  extends Pick<FilteredContainer, "podUid" | "podName" | "namespace" | "labels" | "hasAllLabels"> {
  /** A list, as several parts read it. */
  readonly containerIds: readonly string[];
}

export interface PolicyFilter {
  /**
   * Replaces the container with the same id. One that does not run yet and does not fit into a map is refused, and is then
   * in no map.
   */
  add(container: FilteredContainer): Result<void, Refusal>;
  remove(containerId: string): void;
  updatePod(update: PodUpdate): void;
  find(containerId: string): FilteredContainer | undefined;
  list(): Iterable<FilteredContainer>;

  /** Replaces the filter with the same key; returns its id. Its status says when it is in force. Errors are one line. */
  putFilter(key: string, filter: Filter): Result<number, string>;
  removeFilter(key: string): void;
  status(key: string): FilterStatus;
  /** Resolves when every filter put or removed so far is in force, gone, or failed. */
  settled(): Promise<void>;
  /** Call it when all policies have been put: removes the inherited filters that no policy has. */
  removeUnusedFilters(): void;
  /** The number of filters by the namespace of their policies; "" stands for cluster-wide policies. */
  filterCounts(): ReadonlyMap<string, number>;

  /** Cgroups that only inherited entries have; they may be gone by now. */
  inheritedCgroupIds(): ReadonlySet<bigint>;
  /** Removes inherited entries of cgroups that no longer exist, or that a known container's root cgroup stands for. */
  removeInherited(cgroupIds: Iterable<bigint>): void;
  /** Removes inherited entries of cgroups from the filters that have the cgroup above, too, which stands for them. */
  removeCovered(aboveOf: ReadonlyMap<bigint, bigint>): void;
  /** The number of cgroups of each filter, without inherited entries. */
  sizes(): Iterable<readonly [filterId: number, cgroups: number]>;
  /** Retries what has failed. */
  retry(): void;
  /** The number of wrong entries in the map of each filter that has some. */
  failedEntries: FailedChanges["counts"];
  /** What is not in force as it should be, one line each. */
  problems(): readonly string[];
}

/** `takeSlice` is called before each filter is matched with all containers, and what it returns is awaited. */
export function createPolicyFilter(
  maps: FilterMaps,
  log: Logger,
  limits: FilterLimits = noLimits,
  takeSlice: () => Promise<void> | undefined = () => undefined,
): Result<PolicyFilter, string> {
  const membership = createFilterMembership();
  const inherited = createInheritedEntries(maps.found);
  const writer = createFilterWriter(maps, membership, inherited, log);
  const cleanup = createInheritedCleanup(maps, membership, inherited, writer, log);
  const ids = createFilterIds(listNamed(maps), new Set(listUnnamed(maps)), limits);
  /** The filters that are in the maps, by their keys. */
  const filters = new Map<string, Filter>();

  if (inherited.cgroupIdsOf(ALL_PODS_ID) === undefined) {
    const created = maps.putFilter(ALL_PODS_ID, "", []);
    if (!created.ok) return created;
  }

  const put = (container: FilteredContainer): void => {
    writer.writeAll(membership.putContainer(container));
    cleanup.removeMismatches(container);
  };

  const remove = (containerId: string): void => writer.writeAll(membership.removeContainer(containerId));

  const isRunning = ({ containerId, cgroupId, runsAlready }: FilteredContainer): boolean =>
    runsAlready === true ||
    membership.findContainer(containerId)?.cgroupId === cgroupId ||
    inherited.cgroupIdsOf(ALL_PODS_ID)?.has(cgroupId) === true;

  /** In all of its maps or in none. */
  const admit = (container: FilteredContainer): Result<void, Refusal> => {
    const changes = membership.putContainer(container);
    for (const [at, change] of changes.entries()) {
      const done = writer.write(change);
      if (done.ok) continue;
      writer.writeAll(changes.slice(at).filter(({ kind }) => kind === "cgroup.removed"));
      if (change.kind === "cgroup.removed") break;
      remove(container.containerId);
      return err({ kind: "filter-full", message: `filter ${change.filterId}: ${done.error}` });
    }
    cleanup.removeMismatches(container);
    return ok(undefined);
  };

  /** All of the filter or nothing: after an error the maps hold what they held before. */
  const setFilter = (key: string, filter: Filter): Result<void, string> => {
    const filterId = ids.find(key);
    if (filterId === undefined) return ok(undefined);
    const before = filters.get(key);
    const { cgroupIds } = membership.putFilter(filterId, filter);
    const done = writer.putFilter(filterId, key, cgroupIds);
    if (!done.ok) {
      if (before === undefined) membership.removeFilter(filterId);
      else membership.putFilter(filterId, before);
      return done;
    }
    filters.set(key, filter);
    if ((inherited.cgroupIdsOf(filterId)?.size ?? 0) > 0) {
      for (const container of membership.containers())
        cleanup.removeMismatches(container, (id) => id === filterId);
    }
    return done;
  };
  const queue = createFilterQueue(setFilter, takeSlice);

  /** Of the filters in the maps; the queue reports those that wait. */
  const findFailedFilter = (): string => {
    for (const filterId of membership.filterIds()) {
      const status = maps.status(filterId);
      if (status.kind === "failed") return `filter ${filterId} is not in force: ${status.error}`;
    }
    return "";
  };

  return ok({
    add(container) {
      if (!isRunning(container)) return admit(container);
      put(container);
      return ok(undefined);
    },
    remove,
    updatePod({ containerIds, ...pod }) {
      for (const containerId of containerIds) {
        const container = membership.findContainer(containerId);
        if (container !== undefined) put({ ...container, ...pod });
      }
    },
    find: membership.findContainer,
    list: membership.containers,
    putFilter(key, filter) {
      const id = ids.take(key);
      if (!id.ok) return id;
      const newest = queue.findWaiting(key) ?? filters.get(key);
      const isSame = newest !== undefined && isSameFilter(newest, filter);
      if (isSame && !queue.hasFailed(key)) return id;
      const done = queue.put(key, filter);
      if (done.ok) return id;
      if (!filters.has(key) && inherited.cgroupIdsOf(id.value) === undefined) ids.release(key);
      return done;
    },
    removeFilter(key) {
      const id = ids.find(key);
      if (id === undefined) return;
      ids.release(key);
      filters.delete(key);
      queue.remove(key);
      writer.writeAll(membership.removeFilter(id));
    },
    status(key) {
      const id = ids.find(key);
      const waiting = queue.status(key);
      if (waiting !== undefined) return waiting;
      return id === undefined ? { kind: "in-force" } : maps.status(id);
    },
    async settled() {
      await queue.settled();
      await maps.settled();
    },
    removeUnusedFilters() {
      const used = new Set<number | undefined>(membership.filterIds());
      for (const key of queue.keys()) used.add(ids.find(key));
      cleanup.removeUnused((id) => used.has(id), ids.release);
    },
    filterCounts: ids.counts,
    inheritedCgroupIds: inherited.cgroupIds,
    removeInherited: cleanup.removeCgroups,
    removeCovered: cleanup.removeCovered,
    sizes: membership.sizes,
    retry() {
      writer.failed.retryAll();
      maps.retry();
      queue.retry();
    },
    failedEntries: writer.failed.counts,
    problems: () =>
      [writer.failed.problem(), queue.problem(), findFailedFilter(), renderUnnamed(cleanup.unnamed())].filter(
        (text) => text !== "",
      ),
  });
}
