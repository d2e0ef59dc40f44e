// SPDX-License-Identifier: Apache-2.0
// Entries of the filter maps that could not be changed, most often because a map was full. A retry looks up what the entry
// has to be by then, so the newest state decides.

import type { Logger } from "@rthooks/log";
import type { Result } from "@rthooks/result";

export interface FailedChanges {
  add(filterId: number, cgroupId: bigint, error: string): void;
  /** The entry is right now. */
  remove(filterId: number, cgroupId: bigint): void;
  removeFilter(filterId: number): void;
  /** Stops at the first entry that fails again: on a full map the others would fail too. */
  retry(filterId: number): void;
  retryAll(): void;
  /** The number of failed entries of each filter that has some. */
  counts(): Iterable<readonly [filterId: number, entries: number]>;
  /** One line; empty without failed entries. */
  problem(): string;
}

interface Failures {
  readonly cgroupIds: Set<bigint>;
  error: string;
}

/** `correct` adds or removes the entry, as the current state requires. */
export function createFailedChanges(
  correct: (filterId: number, cgroupId: bigint) => Result<void, string>,
  log: Logger,
): FailedChanges {
  const byFilter = new Map<number, Failures>();

  const remove = (filterId: number, cgroupId: bigint): void => {
    const failures = byFilter.get(filterId);
    if (failures?.cgroupIds.delete(cgroupId) !== true || failures.cgroupIds.size > 0) return;
    byFilter.delete(filterId);
    log.info("filter map is complete again", { filterID: filterId });
  };

  const retry = (filterId: number): void => {
    const failures = byFilter.get(filterId);
    if (failures === undefined) return;
    for (const cgroupId of [...failures.cgroupIds]) {
      const done = correct(filterId, cgroupId);
      if (!done.ok) {
        failures.error = done.error;
        return;
      }
      remove(filterId, cgroupId);
    }
  };

  return {
    add(filterId, cgroupId, error) {
      const failures = byFilter.get(filterId);
      if (failures !== undefined) {
        failures.cgroupIds.add(cgroupId);
        failures.error = error;
        return;
      }
      byFilter.set(filterId, { cgroupIds: new Set([cgroupId]), error });
      // Logged once until all entries are right: a full map fails for each cgroup.
      log.error("cannot change an entry of a filter map; retrying", {
        ...{ filterID: filterId, cgroupID: cgroupId, err: error },
      });
    },
    remove,
    removeFilter: (filterId) => void byFilter.delete(filterId),
    retry,
    retryAll() {
      for (const filterId of [...byFilter.keys()]) retry(filterId);
    },
    counts: () => [...byFilter].map(([filterId, { cgroupIds }]) => [filterId, cgroupIds.size] as const),
    problem() {
      const [first] = byFilter;
      if (first === undefined) return "";
      const [filterId, { error }] = first;
      const total = [...byFilter.values()].reduce((sum, { cgroupIds }) => sum + cgroupIds.size, 0);
      const entries = total === 1 ? "1 cgroup" : `${total} cgroups`;
      return `the filter maps are out of date for ${entries}; filter ${filterId}: ${error}`;
    },
  };
}
