// SPDX-License-Identifier: Apache-2.0
// Finds the cgroups of running containers and reports the containers to the lifecycle. Searches again for those that it
// did not find: the kubelet may list a container a moment before or long after the runtime has made its cgroup.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Logger, nowNanos } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import { findPodUid } from "../../cgroups/core/pod-uid.ts";
import { findPodCgroups } from "../../cgroups/edge/find-pod-cgroups.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { ContainerRecord } from "../core/container-record.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import { createMissingContainers } from "../core/missing-containers.ts";
import { listRunning, type RunningContainer, toContainerReport } from "../core/running-container.ts";

export interface ContainerFinder {
  /** Replaces the list of that name: "cri", or the list of one pod. */
  replaceList(listName: string, containers: readonly RunningContainer[]): void;
  /** Listed containers that the last search did not find. */
  listMissing(): readonly ContainerRecord[];
  /** One line for users; empty where no container is missing for long. */
  problem(): string;
  close(): void;
}

export interface FinderOptions {
  readonly lifecycle: Lifecycle;
  readonly podSource: PodSource;
  readonly cgroupRoot: string;
  /** Pause between two searches for what was not found. */
  readonly intervalMs: number;
  /** Asks the runtime for the container's cgroup, below the root of the hierarchy; undefined where it does not say it. */
  fetchCgroupsPath(containerId: string): Promise<string | undefined>;
  readonly log: Logger;
}

/** Pods change in bursts: one search serves a burst. */
const gatherMs = 20;
/** Reports without a pause: a new container costs some 100 µs, and hook calls wait meanwhile. */
const sliceSize = 20;

interface ListedContainer {
  readonly listName: string;
  readonly container: RunningContainer;
}

export function openContainerFinder(options: FinderOptions): ContainerFinder {
  const { lifecycle, podSource, cgroupRoot, intervalMs, fetchCgroupsPath, log } = options;
  /** By the name of the list, then by container id. */
  const lists = new Map<string, ReadonlyMap<string, RunningContainer>>();
  const missing = createMissingContainers();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isSearching = false;
  /** A container was listed for the first time since the last search began. */
  let hasNew = false;
  let isClosed = false;

  const schedule = (ms: number): void => {
    if (isClosed || isSearching || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      hasNew = false;
      isSearching = true;
      void search()
        .catch((error: unknown) =>
          log.error("search for running containers failed", { err: describeError(error) }),
        )
        .finally(() => {
          isSearching = false;
          if (hasNew) schedule(gatherMs);
          else if (listUnregistered().length > 0) schedule(intervalMs);
        });
    }, ms);
  };

  /** The pause for what was not found is not for a container that no search has tried. */
  const searchSoon = (): void => {
    if (hasNew) return;
    hasNew = true;
    clearTimeout(timer);
    timer = undefined;
    schedule(gatherMs);
  };

  const listUnregistered = (): readonly ListedContainer[] =>
    [...lists].flatMap(([listName, containers]) =>
      [...containers.values()]
        .filter(({ containerId }) => !lifecycle.has(containerId))
        .map((container) => ({ listName, container })),
    );

  const addMissing = (container: RunningContainer, reason: string): void => {
    // One that was on record has ended, and the list is older than its end.
    if (isClosed || lifecycle.hasEnded(container.containerId)) return;
    if (!missing.add(container, reason, nowNanos())) return;
    log.warn("cgroup of a running container not found, no policy selects it", {
      namespace: container.podNamespace,
      pod: container.podName,
      container: container.containerName,
      containerID: container.containerId,
      err: reason,
    });
  };

  const report = (
    { listName, container }: ListedContainer,
    podUid: string | undefined,
    cgroupsPath: string,
  ): void => {
    // A hook call may have reported it, or it may have ended, during the search.
    if (isClosed || lifecycle.has(container.containerId)) return;
    if (lists.get(listName)?.get(container.containerId) !== container) return;
    const found = toContainerReport(container, podUid, cgroupsPath, nowNanos());
    if (!found.ok) addMissing(container, found.error.message);
    else {
      lifecycle.report(found.value, (refusal) => {
        if (refusal !== undefined) addMissing(container, refusal.message);
      });
    }
  };

  const search = async (): Promise<void> => {
    const listed = listUnregistered();
    if (listed.length === 0) return;
    const containerIdsOf = new Map<string, Set<string>>();
    for (const { container } of listed) {
      for (const podUid of container.podUids) {
        containerIdsOf.set(podUid, (containerIdsOf.get(podUid) ?? new Set()).add(container.containerId));
      }
    }
    const found = await findPodCgroups(cgroupRoot, containerIdsOf);
    const elsewhere: ListedContainer[] = [];
    for (const [at, one] of listed.entries()) {
      const cgroup = found.get(one.container.containerId);
      if (cgroup === undefined) elsewhere.push(one);
      else report(one, cgroup.podUid, cgroup.path);
      if (at % sliceSize === sliceSize - 1) await nextTurn();
    }
    for (const one of elsewhere) {
      const { containerId, podUids } = one.container;
      const path = await fetchCgroupsPath(containerId);
      if (path === undefined) {
        addMissing(one.container, `no cgroup of this id in the pod's cgroup below ${cgroupRoot}`);
      }
      // Only the API's UID is certain: any pod's author can write a static pod's hash.
      else report(one, findPodUid(path) ?? podUids.at(-1), path);
    }
  };

  const replaceList: ContainerFinder["replaceList"] = (listName, containers) => {
    const former = lists.get(listName);
    if (containers.length === 0) lists.delete(listName);
    else lists.set(listName, new Map(containers.map((container) => [container.containerId, container])));
    const unregistered = containers.filter(({ containerId }) => !lifecycle.has(containerId));
    if (unregistered.some(({ containerId }) => !former?.has(containerId))) searchSoon();
    else if (unregistered.length > 0) schedule(intervalMs);
  };

  const unsubscribe = podSource.subscribe(({ kind, pod }) =>
    replaceList(`pod ${pod.uid}`, kind === "deleted" || kind === "unlisted" ? [] : listRunning(pod)),
  );
  for (const pod of podSource.list()) replaceList(`pod ${pod.uid}`, listRunning(pod));

  /** Hook calls may have reported some since the last search. */
  const dropRegistered = (): void =>
    missing.retain(new Set(listUnregistered().map(({ container }) => container.containerId)));

  return {
    replaceList,
    listMissing() {
      dropRegistered();
      return missing.list();
    },
    problem() {
      dropRegistered();
      return missing.problem(nowNanos());
    },
    close() {
      isClosed = true;
      unsubscribe();
      clearTimeout(timer);
    },
  };
}
