// SPDX-License-Identifier: Apache-2.0
// Puts containers with their rules into the kernel's maps. An entry has all rules of its container, so a change of labels
// moves the container from its old rules to its new ones in one step.

import type { RuleMaps } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PodUpdate } from "../../filter/core/policy-filter.ts";
import type { PlacedContainer, RuleMembers } from "./rule-members.ts";

export interface EnforcedContainers {
  /** Replaces the container with the same id. One that does not run yet and does not fit into the map is refused. */
  add(container: PlacedContainer): Result<void, Refusal>;
  remove(containerId: string): void;
  updatePod(update: PodUpdate): void;
  /** Writes the rules of all known containers again. */
  rewrite(): void;
  /** Cgroups that an earlier agent put into the map, of containers that this one does not know. */
  inheritedCgroupIds(): ReadonlySet<bigint>;
  removeInherited(cgroupIds: Iterable<bigint>): void;
  /** Retries what has failed. */
  retry(): void;
  /** One line; empty where every known container has its rules. */
  problem(): string;
}

type Maps = Pick<RuleMaps, "putContainer" | "removeContainer">;

export function createEnforcedContainers(maps: Maps, members: RuleMembers, log: Logger): EnforcedContainers {
  /** By container id: why its entry is not as it should be. */
  const failed = new Map<string, string>();
  /** Cgroups that are still in the map. */
  const leftOver = new Set<bigint>();

  const write = (container: PlacedContainer): Result<void, string> => {
    leftOver.delete(container.cgroupId);
    const done = maps.putContainer(container.cgroupId, container.level, members.rulesOf(container));
    if (done.ok) failed.delete(container.containerId);
    return done;
  };

  const writeOrRetry = (container: PlacedContainer): void => {
    const done = write(container);
    if (done.ok) return;
    if (failed.get(container.containerId) !== done.error)
      log.error("cannot write the rules of a container", {
        containerID: container.containerId,
        err: done.error,
      });
    failed.set(container.containerId, done.error);
  };

  const removeCgroup = (cgroupId: bigint): void => {
    const done = maps.removeContainer(cgroupId);
    if (done.ok) leftOver.delete(cgroupId);
    else leftOver.add(cgroupId);
  };

  const remove = (containerId: string): void => {
    const container = members.find(containerId);
    if (container === undefined) return;
    members.removeContainer(containerId);
    failed.delete(containerId);
    removeCgroup(container.cgroupId);
  };

  return {
    add(container) {
      const old = members.find(container.containerId);
      const runs =
        container.runsAlready === true ||
        old?.cgroupId === container.cgroupId ||
        members.inheritedCgroupIds().has(container.cgroupId);
      members.putContainer(container);
      if (runs) writeOrRetry(container);
      else {
        const done = write(container);
        if (!done.ok) {
          remove(container.containerId);
          return err({ kind: "filter-full", message: `the rules of the container: ${done.error}` });
        }
      }
      if (old !== undefined && old.cgroupId !== container.cgroupId) removeCgroup(old.cgroupId);
      return ok(undefined);
    },
    remove,
    updatePod({ containerIds, ...pod }) {
      for (const containerId of containerIds) {
        const container = members.find(containerId);
        if (container === undefined) continue;
        const changed = { ...container, ...pod };
        members.putContainer(changed);
        writeOrRetry(changed);
      }
    },
    rewrite() {
      for (const container of members.containers()) writeOrRetry(container);
    },
    inheritedCgroupIds: members.inheritedCgroupIds,
    removeInherited(cgroupIds) {
      const inherited = members.inheritedCgroupIds();
      for (const cgroupId of cgroupIds) {
        if (!inherited.has(cgroupId)) continue;
        members.forgetCgroup(cgroupId);
        removeCgroup(cgroupId);
      }
    },
    retry() {
      for (const containerId of [...failed.keys()]) {
        const container = members.find(containerId);
        if (container !== undefined) writeOrRetry(container);
      }
      for (const cgroupId of [...leftOver]) removeCgroup(cgroupId);
    },
    problem() {
      const [first] = failed;
      if (first === undefined) return "";
      const [containerId, error] = first;
      const others = failed.size === 1 ? "" : ` (and ${failed.size - 1} more)`;
      return `container ${containerId} does not have its rules${others}: ${error}`;
    },
  };
}
