// SPDX-License-Identifier: Apache-2.0
// The policy filter over maps: every change of a container or a policy comes to the changes that it makes there, and one
// that cannot be made leaves nothing behind.

import type { Logger } from "@rthooks/log";
import {
  ALL_PODS_ID,
  createFilterState,
  type FilterChange,
  type FilterContainer,
  type FilterDefinition,
  HOST_MARKER,
} from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { createFailedChanges, type FailedChanges } from "./failed-changes.ts";
import type { FilterMaps } from "./filter-maps.ts";
import { createInherited } from "./inherited.ts";
import type { FilteredContainer, PolicyFilter } from "./policy-filter.ts";
import { createPolicyIds } from "./policy-ids.ts";
import { toRepository } from "./repository.ts";

export interface MapPolicyFilter extends PolicyFilter {
  /** In place of what has the key; gives the policy's id, and the reason in one line where it has no filter. */
  putPolicy(key: string, definition: FilterDefinition): Result<number, string>;
  removePolicy(key: string): void;
  /** All policies have been put: those that an agent before this one has left, and nobody wants, end here. */
  settlePolicies(): void;
  /** Cgroups that are left from before, and may be gone by now. */
  inheritedCgroupIds(): ReadonlySet<bigint>;
  /** Cgroups of each policy, without those that are only left from before. */
  sizes(): Iterable<readonly [policyId: number, cgroups: number]>;
  /** These are gone. */
  forgetCgroups(cgroupIds: Iterable<bigint>): void;
  /** Entries that could not be changed when they had to be, and are not yet as they should be. */
  readonly failed: Pick<FailedChanges, "retryAll" | "counts" | "problem">;
}

export function createMapPolicyFilter(maps: FilterMaps, log: Logger): Result<MapPolicyFilter, string> {
  const state = createFilterState();
  const containers = new Map<string, FilteredContainer>();
  const inherited = createInherited(maps.found);
  const ids = createPolicyIds(
    new Map(
      [...maps.found].flatMap(([id, { key }]) =>
        id === ALL_PODS_ID || key === "" ? [] : [[key, id] as const],
      ),
    ),
  );
  const definitions = new Map<string, FilterDefinition>();

  const failed = createFailedChanges((policyId, cgroupId) => {
    if (state.isMember(policyId, cgroupId)) return maps.add(policyId, cgroupId);
    const isLeft = inherited.find(policyId)?.has(cgroupId) === true;
    return isLeft ? ok(undefined) : maps.remove(policyId, cgroupId);
  }, log);

  if (inherited.find(ALL_PODS_ID) === undefined) {
    const made = maps.putPolicy(ALL_PODS_ID, "", []);
    if (!made.ok) return made;
  }

  /** A policy that was left is changed where it is: nobody finds it gone or half full in between. */
  const takeOver = (policyId: number, cgroupIds: readonly bigint[]): Result<void, string> => {
    const claimed: bigint[] = [];
    for (const cgroupId of cgroupIds) {
      if (inherited.claim(policyId, cgroupId)) {
        claimed.push(cgroupId);
        continue;
      }
      const added = maps.add(policyId, cgroupId);
      if (added.ok) continue;
      for (const back of claimed) inherited.giveBack(policyId, back);
      return added;
    }
    // The mark is the definition's, whoever has set it.
    const isMarked = !cgroupIds.includes(HOST_MARKER) && inherited.claim(policyId, HOST_MARKER);
    return isMarked ? maps.remove(policyId, HOST_MARKER) : ok(undefined);
  };

  const apply = (change: FilterChange, key: string): Result<void, string> => {
    const { policyId } = change;
    const left = inherited.find(policyId);
    switch (change.kind) {
      case "policy.put":
        if (left !== undefined && !definitions.has(key)) return takeOver(policyId, change.cgroupIds);
        return maps.putPolicy(policyId, key, new Set([...change.cgroupIds, ...(left ?? [])]));
      case "policy.removed":
        failed.forgetPolicy(policyId);
        inherited.dropPolicy(policyId);
        return maps.removePolicy(policyId);
      case "cgroup.added":
        return inherited.claim(policyId, change.cgroupId)
          ? ok(undefined)
          : maps.add(policyId, change.cgroupId);
      case "cgroup.removed":
        return maps.remove(policyId, change.cgroupId);
    }
  };

  /** One that cannot be made is remembered, and made when it can be. */
  const applyAll = (changes: readonly FilterChange[]): void => {
    for (const change of changes) {
      const { policyId } = change;
      const done = apply(change, "");
      const isEntry = change.kind === "cgroup.added" || change.kind === "cgroup.removed";
      if (isEntry && done.ok) failed.forget(policyId, change.cgroupId);
      else if (isEntry && !done.ok) failed.note(policyId, change.cgroupId, done.error);
      else if (!done.ok) log.error("policy filter not changed", { policy: policyId, err: done.error });
      // There is room now.
      if (change.kind === "cgroup.removed" && done.ok) failed.retry(policyId);
    }
  };

  const drop = (cgroupId: bigint, isMeant: (policyId: number) => boolean): void =>
    applyAll(
      inherited.drop(cgroupId, isMeant).map((policyId) => ({ kind: "cgroup.removed", policyId, cgroupId })),
    );

  /**
   * All that is known of the container and of these policies has been compared: what was left and not claimed is wrong. A
   * policy that nobody has put yet may still turn out to be about it.
   */
  const dropMismatches = (
    { cgroupId, nestedIds }: FilteredContainer,
    isMeant: (policyId: number) => boolean = state.has,
  ): void => {
    for (const one of [cgroupId, ...nestedIds]) drop(one, isMeant);
  };

  const remove = (containerId: string): void => {
    containers.delete(containerId);
    applyAll(state.removeContainer(containerId));
  };

  const isInForce = ({ containerId, cgroupId, runsAlready }: FilteredContainer): boolean =>
    runsAlready === true ||
    containers.get(containerId)?.cgroupId === cgroupId ||
    inherited.find(ALL_PODS_ID)?.has(cgroupId) === true;

  /** One that runs stays in the maps where it is; another one that cannot be in all of its maps is in none, and is refused. */
  const add: PolicyFilter["add"] = (container) => {
    const isRunning = isInForce(container);
    const changes = state.putContainer(toFilterContainer(container));
    if (isRunning) applyAll(changes);
    for (const [at, change] of isRunning ? [] : changes.entries()) {
      const done = apply(change, "");
      if (done.ok) continue;
      applyAll(changes.slice(at).filter(({ kind }) => kind === "cgroup.removed"));
      if (change.kind === "cgroup.removed") break;
      remove(container.containerId);
      return err({ kind: "filter-full", message: `policy ${change.policyId}: ${done.error}` });
    }
    containers.set(container.containerId, container);
    if (container.isPodKnown) dropMismatches(container);
    return ok(undefined);
  };

  return ok({
    add,
    remove,
    setNested(containerId, nestedIds) {
      const container = containers.get(containerId);
      if (container === undefined || isSameList(container.nestedIds, nestedIds)) return;
      const changed = { ...container, nestedIds };
      containers.set(containerId, changed);
      applyAll(state.putContainer(toFilterContainer(changed)));
      if (changed.isPodKnown) dropMismatches(changed);
    },
    updatePod({ containerIds, ...pod }) {
      for (const containerId of containerIds) {
        const container = containers.get(containerId);
        if (container === undefined) continue;
        const changed = { ...container, ...pod };
        containers.set(containerId, changed);
        applyAll(state.putContainer(toFilterContainer(changed)));
        if (changed.isPodKnown) dropMismatches(changed);
      }
    },
    list: () => containers.values(),
    sizes: state.sizes,
    putPolicy(key, definition) {
      const id = ids.take(key);
      if (!id.ok) return id;
      const before = definitions.get(key);
      const done = apply(state.putPolicy(id.value, definition), key);
      if (done.ok) {
        definitions.set(key, definition);
        if ((inherited.find(id.value)?.size ?? 0) > 0) {
          for (const container of containers.values())
            if (container.isPodKnown) dropMismatches(container, (policyId) => policyId === id.value);
        }
        return id;
      }
      // The maps have what they had.
      if (before !== undefined) state.putPolicy(id.value, before);
      else {
        state.removePolicy(id.value);
        if (inherited.find(id.value) === undefined) ids.release(key);
      }
      return done;
    },
    removePolicy(key) {
      const id = ids.find(key);
      if (id === undefined) return;
      ids.release(key);
      definitions.delete(key);
      applyAll(state.removePolicy(id));
    },
    settlePolicies() {
      const wanted = new Set(state.policyIds());
      for (const policyId of inherited.policyIds()) {
        if (wanted.has(policyId)) continue;
        log.info("policy filter of an earlier agent removed", { policy: policyId });
        applyAll([{ kind: "policy.removed", policyId }]);
        const key = maps.found.get(policyId)?.key;
        if (key !== undefined) ids.release(key);
      }
    },
    failed,
    inheritedCgroupIds: inherited.cgroupIds,
    forgetCgroups(cgroupIds) {
      for (const cgroupId of cgroupIds) drop(cgroupId, () => true);
    },
  });
}

const isSameList = (one: readonly bigint[], other: readonly bigint[]): boolean =>
  one.length === other.length && one.every((id, at) => other[at] === id);

const toFilterContainer = ({
  containerId,
  containerName,
  image,
  cgroupId,
  nestedIds,
  podUid,
  podName,
  namespace,
  labels,
}: FilteredContainer): FilterContainer => {
  const uid = podUid ?? (podName === "" ? undefined : `${namespace}/${podName}`);
  return {
    containerId,
    cgroupIds: [cgroupId, ...nestedIds],
    pod: uid === undefined ? undefined : { uid, namespace, labels },
    name: containerName,
    repo: toRepository(image),
  };
};
