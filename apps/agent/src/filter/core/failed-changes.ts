// SPDX-License-Identifier: Apache-2.0
// Changes of single entries in the policy filter's maps that could not be made, most often because a map was full. Each is
// remembered until it is made: what is right then is looked up then, so the newest state decides.

import type { Logger } from "@rthooks/log";
import type { Result } from "@rthooks/result";

export interface FailedChanges {
  note(policyId: number, cgroupId: bigint, error: string): void;
  /** The entry is right now. */
  forget(policyId: number, cgroupId: bigint): void;
  forgetPolicy(policyId: number): void;
  /** Until one fails again: where a map is full, one call says so. */
  retry(policyId: number): void;
  retryAll(): void;
  /** Entries that are not right, by policy; none for a policy without any. */
  counts(): Iterable<readonly [policyId: number, entries: number]>;
  /** One line for people; empty where all entries are right. */
  problem(): string;
}

interface Failures {
  readonly cgroupIds: Set<bigint>;
  error: string;
}

/** `correct` puts the entry in, or takes it out, as it has to be now. */
export function createFailedChanges(
  correct: (policyId: number, cgroupId: bigint) => Result<void, string>,
  log: Logger,
): FailedChanges {
  const byPolicy = new Map<number, Failures>();

  const forget = (policyId: number, cgroupId: bigint): void => {
    const failures = byPolicy.get(policyId);
    if (failures?.cgroupIds.delete(cgroupId) !== true || failures.cgroupIds.size > 0) return;
    byPolicy.delete(policyId);
    log.info("the policy's map is complete again", { policy: policyId });
  };

  const retry = (policyId: number): void => {
    const failures = byPolicy.get(policyId);
    if (failures === undefined) return;
    for (const cgroupId of [...failures.cgroupIds]) {
      const done = correct(policyId, cgroupId);
      if (!done.ok) {
        failures.error = done.error;
        return;
      }
      forget(policyId, cgroupId);
    }
  };

  return {
    forget,
    retry,
    note(policyId, cgroupId, error) {
      const failures = byPolicy.get(policyId);
      if (failures !== undefined) {
        failures.cgroupIds.add(cgroupId);
        failures.error = error;
        return;
      }
      byPolicy.set(policyId, { cgroupIds: new Set([cgroupId]), error });
      // Once, until all of the policy's are made: a full map fails for each cgroup.
      log.error("the policy's map lacks a change, which is tried again", {
        ...{ policy: policyId, cgroupID: cgroupId, err: error },
      });
    },
    forgetPolicy: (policyId) => void byPolicy.delete(policyId),
    retryAll() {
      for (const policyId of [...byPolicy.keys()]) retry(policyId);
    },
    counts: () => [...byPolicy].map(([policyId, { cgroupIds }]) => [policyId, cgroupIds.size] as const),
    problem() {
      const [first] = byPolicy;
      if (first === undefined) return "";
      const [policyId, { error }] = first;
      const total = [...byPolicy.values()].reduce((sum, { cgroupIds }) => sum + cgroupIds.size, 0);
      const entries = total === 1 ? "1 cgroup is" : `${total} cgroups are`;
      return `${entries} not as the policies say in the filter's maps: policy ${policyId}: ${error}`;
    },
  };
}
