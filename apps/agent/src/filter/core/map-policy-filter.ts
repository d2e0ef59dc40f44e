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
  isSameDefinition,
} from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { createFailedChanges, type FailedChanges } from "./failed-changes.ts";
import type { FilterMaps, FilterStanding } from "./filter-maps.ts";
import { createFilterQueue } from "./filter-queue.ts";
import { createInherited } from "./inherited.ts";
import type { FilteredContainer, PolicyFilter } from "./policy-filter.ts";
import { createPolicyIds, type FilterLimits, noLimits } from "./policy-ids.ts";
import { toRepository } from "./repository.ts";

export interface MapPolicyFilter extends PolicyFilter {
  /**
   * In place of what has the key; gives the policy's id, and the reason in one line where it has no filter. One that is new
   * is in force when its standing says so.
   */
  putPolicy(key: string, definition: FilterDefinition): Result<number, string>;
  removePolicy(key: string): void;
  standing(key: string): FilterStanding;
  /** The kernel has what was asked for so far, or has refused it. */
  settled(): Promise<void>;
  /** All policies have been put: those that an agent before this one has left, and that are not wanted, end here. */
  settlePolicies(): void;
  /** How many filters the policies of each namespace have; "" is the cluster's. */
  filterCounts(): ReadonlyMap<string, number>;
  /** Cgroups that are left from before, and may be gone by now. */
  inheritedCgroupIds(): ReadonlySet<bigint>;
  /** Cgroups of each policy, without those that are only left from before. */
  sizes(): Iterable<readonly [policyId: number, cgroups: number]>;
  /** These are gone. */
  forgetCgroups(cgroupIds: Iterable<bigint>): void;
  /** Once more what could not be done. */
  retry(): void;
  /** Entries that are not as they should be, by policy. */
  failedEntries: FailedChanges["counts"];
  /** What is not as it should be, one line for people each. */
  problems(): readonly string[];
}

/** `takeSlice`: asked before each filter; what it gives is waited for. */
export function createMapPolicyFilter(
  maps: FilterMaps,
  log: Logger,
  limits: FilterLimits = noLimits,
  takeSlice: () => Promise<void> | undefined = () => undefined,
): Result<MapPolicyFilter, string> {
  const state = createFilterState();
  const containers = new Map<string, FilteredContainer>();
  const inherited = createInherited(maps.found);
  const ids = createPolicyIds(
    new Map(
      [...maps.found].flatMap(([id, { key }]) =>
        id === ALL_PODS_ID || key === "" ? [] : [[key, id] as const],
      ),
    ),
    new Set([...maps.found.keys()].filter((id) => isStranger(maps, id))),
    limits,
  );
  const definitions = new Map<string, FilterDefinition>();
  /** Policies of other programs, or of an agent whose keys are lost. They are kept while they have cgroups. */
  const listStrangers = (): readonly number[] => inherited.policyIds().filter((id) => isStranger(maps, id));

  const failed = createFailedChanges((policyId, cgroupId) => {
    if (state.isMember(policyId, cgroupId)) return maps.add(policyId, cgroupId);
    const isLeft = inherited.find(policyId)?.has(cgroupId) === true;
    return isLeft ? ok(undefined) : maps.remove(policyId, cgroupId);
  }, log);

  if (inherited.find(ALL_PODS_ID) === undefined) {
    const made = maps.putPolicy(ALL_PODS_ID, "", []);
    if (!made.ok) return made;
  }

  /** What is left of the policy stays in it. The mark of the host is the definition's, also where an earlier one set it. */
  const putMembers = (policyId: number, key: string, cgroupIds: readonly bigint[]): Result<void, string> => {
    const left = inherited.find(policyId);
    const isLeft = left !== undefined && left.size > 0;
    const kept = isLeft ? [...cgroupIds, ...[...left].filter((id) => id !== HOST_MARKER)] : cgroupIds;
    const done = maps.putPolicy(policyId, key, kept);
    if (!done.ok) return done;
    failed.forgetPolicy(policyId);
    if (isLeft) for (const cgroupId of [...cgroupIds, HOST_MARKER]) inherited.claim(policyId, cgroupId);
    return done;
  };

  const apply = (change: FilterChange): Result<void, string> => {
    const { policyId } = change;
    switch (change.kind) {
      case "policy.put":
        return putMembers(policyId, "", change.cgroupIds);
      case "policy.removed":
        failed.forgetPolicy(policyId);
        inherited.dropPolicy(policyId);
        maps.removePolicy(policyId);
        return ok(undefined);
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
      const done = apply(change);
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

  const dropEmptyStrangers = (): void => {
    for (const policyId of listStrangers()) {
      if ((inherited.find(policyId)?.size ?? 0) > 0) continue;
      log.info("policy of another program removed: its containers are gone", { policy: policyId });
      applyAll([{ kind: "policy.removed", policyId }]);
    }
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
      const done = apply(change);
      if (done.ok) continue;
      applyAll(changes.slice(at).filter(({ kind }) => kind === "cgroup.removed"));
      if (change.kind === "cgroup.removed") break;
      remove(container.containerId);
      return err({ kind: "filter-full", message: `policy ${change.policyId}: ${done.error}` });
    }
    containers.set(container.containerId, container);
    if (container.hasAllLabels) dropMismatches(container);
    return ok(undefined);
  };

  /** All that matches, in one step; the maps have what they had where that fails. */
  const putNow = (key: string, definition: FilterDefinition): Result<void, string> => {
    const id = ids.find(key);
    if (id === undefined) return ok(undefined);
    const before = definitions.get(key);
    const { cgroupIds } = state.putPolicy(id, definition);
    const done = putMembers(id, key, cgroupIds);
    if (!done.ok) {
      if (before === undefined) state.removePolicy(id);
      else state.putPolicy(id, before);
      return done;
    }
    definitions.set(key, definition);
    if ((inherited.find(id)?.size ?? 0) > 0) {
      for (const container of containers.values())
        if (container.hasAllLabels) dropMismatches(container, (policyId) => policyId === id);
    }
    return done;
  };
  const queue = createFilterQueue(putNow, takeSlice);

  return ok({
    add,
    remove,
    setNested(containerId, nestedIds) {
      const container = containers.get(containerId);
      if (container === undefined || isSameList(container.nestedIds, nestedIds)) return;
      const changed = { ...container, nestedIds };
      containers.set(containerId, changed);
      applyAll(state.putContainer(toFilterContainer(changed)));
      // While nothing says that a policy of before is not about the container, it is about all of it.
      for (const cgroupId of nestedIds) {
        for (const policyId of inherited.spread(container.cgroupId, cgroupId)) {
          const done = maps.add(policyId, cgroupId);
          if (!done.ok) log.error("policy filter not changed", { policy: policyId, err: done.error });
        }
      }
      if (changed.hasAllLabels) dropMismatches(changed);
    },
    updatePod({ containerIds, ...pod }) {
      for (const containerId of containerIds) {
        const container = containers.get(containerId);
        if (container === undefined) continue;
        const changed = { ...container, ...pod };
        containers.set(containerId, changed);
        applyAll(state.putContainer(toFilterContainer(changed)));
        if (changed.hasAllLabels) dropMismatches(changed);
      }
    },
    list: () => containers.values(),
    sizes: state.sizes,
    putPolicy(key, definition) {
      const id = ids.take(key);
      if (!id.ok) return id;
      const newest = queue.findWaiting(key) ?? definitions.get(key);
      const isSame = newest !== undefined && isSameDefinition(newest, definition);
      if (isSame && !queue.isRefused(key)) return id;
      const done = queue.put(key, definition);
      if (done.ok) return id;
      if (!definitions.has(key) && inherited.find(id.value) === undefined) ids.release(key);
      return done;
    },
    removePolicy(key) {
      const id = ids.find(key);
      if (id === undefined) return;
      ids.release(key);
      definitions.delete(key);
      queue.drop(key);
      applyAll(state.removePolicy(id));
    },
    standing(key) {
      const id = ids.find(key);
      const standing = queue.standing(key);
      if (standing !== undefined) return standing;
      return id === undefined ? { kind: "in-force" } : maps.standing(id);
    },
    async settled() {
      await queue.settled();
      await maps.settled();
    },
    settlePolicies() {
      const wanted = new Set<number | undefined>(state.policyIds());
      for (const key of queue.keys()) wanted.add(ids.find(key));
      for (const policyId of inherited.policyIds()) {
        if (wanted.has(policyId) || isStranger(maps, policyId)) continue;
        log.info("policy filter of an earlier agent removed", { policy: policyId });
        applyAll([{ kind: "policy.removed", policyId }]);
        const key = maps.found.get(policyId)?.key;
        if (key !== undefined) ids.release(key);
      }
      dropEmptyStrangers();
    },
    filterCounts: ids.counts,
    retry() {
      failed.retryAll();
      maps.retry();
      queue.retry();
    },
    failedEntries: failed.counts,
    problems() {
      const strangers = listStrangers();
      const told = strangers.length === 0 ? "" : renderStrangers(strangers);
      return [failed.problem(), queue.problem(), renderFailedFilters(maps, state.policyIds()), told].filter(
        (text) => text !== "",
      );
    },
    inheritedCgroupIds: inherited.cgroupIds,
    forgetCgroups(cgroupIds) {
      for (const cgroupId of cgroupIds) drop(cgroupId, () => true);
      dropEmptyStrangers();
    },
  });
}

const isStranger = ({ found }: FilterMaps, policyId: number): boolean =>
  policyId !== ALL_PODS_ID && found.get(policyId)?.key === "";

function renderStrangers(ids: readonly number[]): string {
  const some = ids.toSorted((one, other) => one - other).slice(0, 10);
  return (
    `policy_filter_maps has policies that policy_filter_keys does not know (ids ${some.join(", ")}` +
    `${some.length < ids.length ? ", …" : ""}): they are kept until their containers are gone`
  );
}

function renderFailedFilters(maps: FilterMaps, policyIds: Iterable<number>): string {
  for (const policyId of policyIds) {
    const standing = maps.standing(policyId);
    if (standing.kind === "failed")
      return `the filter of policy ${policyId} is not in force: ${standing.error}`;
  }
  return "";
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
