// SPDX-License-Identifier: Apache-2.0
// Removes inherited entries and filters that are known to be wrong or unused.

import type { Logger } from "@rthooks/log";
import type { FilteredContainer, FilterMembership } from "@rthooks/policy";
import type { FilterMaps } from "./filter-maps.ts";
import type { FilterWriter } from "./filter-writer.ts";
import type { InheritedEntries } from "./inherited-entries.ts";
import { isUnnamed } from "./unnamed-filters.ts";

export interface InheritedCleanup {
  /**
   * With all labels of its pod known, an inherited entry that the container has not taken over is wrong. By default in all
   * filters that are put: one that is not put yet may still match the container.
   */
  removeMismatches(container: FilteredContainer, isSelected?: (filterId: number) => boolean): void;
  /** Removes the entries of these cgroups. */
  removeCgroups(cgroupIds: Iterable<bigint>): void;
  /** Removes the entries of cgroups from the filters that have the cgroup above, too. */
  removeCovered(aboveOf: ReadonlyMap<bigint, bigint>): void;
  /** Removes the filters that are not used, and calls `onRemoved` with their keys. */
  removeUnused(isUsed: (filterId: number) => boolean, onRemoved: (key: string) => void): void;
  /** The unnamed filters that still exist. */
  unnamed(): readonly number[];
}

export function createInheritedCleanup(
  maps: FilterMaps,
  membership: FilterMembership,
  inherited: InheritedEntries,
  writer: FilterWriter,
  log: Logger,
): InheritedCleanup {
  const unnamed = (): readonly number[] => inherited.filterIds().filter((id) => isUnnamed(maps, id));

  const removeEmptyUnnamed = (): void => {
    for (const filterId of unnamed()) {
      if ((inherited.cgroupIdsOf(filterId)?.size ?? 0) > 0) continue;
      log.info("unnamed filter removed: its containers are gone", { filterID: filterId });
      writer.writeAll([{ kind: "filter.removed", filterId }]);
    }
  };

  return {
    removeMismatches({ cgroupId, hasAllLabels }, isSelected = membership.hasFilter) {
      if (hasAllLabels) writer.removeInherited(cgroupId, isSelected);
    },
    removeCgroups(cgroupIds) {
      for (const cgroupId of cgroupIds) writer.removeInherited(cgroupId, () => true);
      removeEmptyUnnamed();
    },
    removeCovered(aboveOf) {
      for (const [cgroupId, above] of aboveOf) {
        const hasAbove = (filterId: number): boolean =>
          membership.isMember(filterId, above) || inherited.cgroupIdsOf(filterId)?.has(above) === true;
        writer.removeInherited(cgroupId, hasAbove);
      }
    },
    removeUnused(isUsed, onRemoved) {
      for (const filterId of inherited.filterIds()) {
        if (isUsed(filterId) || isUnnamed(maps, filterId)) continue;
        log.info("filter of an earlier agent removed", { filterID: filterId });
        writer.writeAll([{ kind: "filter.removed", filterId }]);
        const key = maps.found.get(filterId)?.key;
        if (key !== undefined) onRemoved(key);
      }
      removeEmptyUnnamed();
    },
    unnamed,
  };
}
