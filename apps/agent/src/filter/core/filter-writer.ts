// SPDX-License-Identifier: Apache-2.0
// Writes membership changes to the filter maps. Inherited entries are in the maps already, and stay there until they are
// removed here; a change that fails is retried.

import type { Logger } from "@rthooks/log";
import { type FilterMembership, HOST_MARKER, type MembershipChange } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import { createFailedChanges, type FailedChanges } from "./failed-changes.ts";
import type { FilterMaps } from "./filter-maps.ts";
import type { InheritedEntries } from "./inherited-entries.ts";

export interface FilterWriter {
  /** Errors are one line; after one nothing has changed. */
  write(change: MembershipChange): Result<void, string>;
  /** Changes of single entries that fail are retried until they succeed. */
  writeAll(changes: readonly MembershipChange[]): void;
  /** Puts the filter with these cgroups and with its inherited ones. */
  putFilter(filterId: number, key: string, cgroupIds: readonly bigint[]): Result<void, string>;
  /** Removes an inherited cgroup from the selected filters that still have it. */
  removeInherited(cgroupId: bigint, isSelected: (filterId: number) => boolean): void;
  readonly failed: Pick<FailedChanges, "retryAll" | "counts" | "problem">;
}

export function createFilterWriter(
  maps: FilterMaps,
  membership: FilterMembership,
  inherited: InheritedEntries,
  log: Logger,
): FilterWriter {
  const failed = createFailedChanges((filterId, cgroupId) => {
    if (membership.isMember(filterId, cgroupId)) return maps.add(filterId, cgroupId);
    const isInherited = inherited.cgroupIdsOf(filterId)?.has(cgroupId) === true;
    return isInherited ? ok(undefined) : maps.remove(filterId, cgroupId);
  }, log);

  const putFilter: FilterWriter["putFilter"] = (filterId, key, cgroupIds) => {
    const found = inherited.cgroupIdsOf(filterId);
    const isInherited = found !== undefined && found.size > 0;
    // Whether the filter includes the host is up to the filter, not to the inherited entry.
    const all = isInherited ? [...cgroupIds, ...[...found].filter((id) => id !== HOST_MARKER)] : cgroupIds;
    const done = maps.putFilter(filterId, key, all);
    if (!done.ok) return done;
    failed.removeFilter(filterId);
    if (isInherited)
      for (const cgroupId of [...cgroupIds, HOST_MARKER]) inherited.takeOver(filterId, cgroupId);
    return done;
  };

  const write = (change: MembershipChange): Result<void, string> => {
    const { filterId } = change;
    switch (change.kind) {
      case "filter.put":
        return putFilter(filterId, "", change.cgroupIds);
      case "filter.removed":
        failed.removeFilter(filterId);
        inherited.removeFilter(filterId);
        maps.removeFilter(filterId);
        return ok(undefined);
      case "cgroup.added":
        return inherited.takeOver(filterId, change.cgroupId)
          ? ok(undefined)
          : maps.add(filterId, change.cgroupId);
      case "cgroup.removed":
        return maps.remove(filterId, change.cgroupId);
    }
  };

  const writeAll = (changes: readonly MembershipChange[]): void => {
    for (const change of changes) {
      const { filterId } = change;
      const done = write(change);
      const isEntry = change.kind === "cgroup.added" || change.kind === "cgroup.removed";
      if (isEntry && done.ok) failed.remove(filterId, change.cgroupId);
      else if (isEntry && !done.ok) failed.add(filterId, change.cgroupId, done.error);
      else if (!done.ok) log.error("cannot change a filter", { filterID: filterId, err: done.error });
      // The map has room now.
      if (change.kind === "cgroup.removed" && done.ok) failed.retry(filterId);
    }
  };

  return {
    write,
    writeAll,
    putFilter,
    removeInherited(cgroupId, isSelected) {
      const filterIds = inherited.removeCgroup(cgroupId, isSelected);
      writeAll(filterIds.map((filterId) => ({ kind: "cgroup.removed", filterId, cgroupId })));
    },
    failed,
  };
}
