// SPDX-License-Identifier: Apache-2.0
// Brings containers that run to the agent's knowledge, once their cgroups are found. What is not found yet is looked for
// again: the kubelet may tell of a container a moment before or long after the runtime has made it.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Logger, nowNanos } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import { findPodUid } from "../../cgroups/core/pod-uid.ts";
import { findPodCgroups } from "../../cgroups/edge/find-pod-cgroups.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { ContainerRecord } from "../core/container-record.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import { createLostContainers } from "../core/lost-containers.ts";
import { listRunning, type RunningContainer, toContainerReport } from "../core/running-container.ts";

export interface ContainerFinder {
  /** All that `source` knows to run, in place of what it said before. */
  want(source: string, containers: readonly RunningContainer[]): void;
  /** Those that run and were not found by the last look. */
  listLost(): readonly ContainerRecord[];
  /** For people; empty where nothing is lost for long. */
  problem(): string;
  close(): void;
}

export interface FinderOptions {
  readonly lifecycle: Lifecycle;
  readonly podSource: PodSource;
  readonly cgroupRoot: string;
  /** Pause between two looks for what was not found. */
  readonly intervalMs: number;
  /** The container's cgroupsPath by the runtime's own word; undefined where it cannot say. */
  locate(containerId: string): Promise<string | undefined>;
  readonly log: Logger;
}

/** Changes of pods come in swarms: one look serves them all. */
const gatherMs = 20;
/** In one go: a new container costs some 100 µs, and hook calls wait meanwhile. */
const sliceSize = 20;

interface Wanted {
  readonly source: string;
  readonly container: RunningContainer;
}

export function openContainerFinder(options: FinderOptions): ContainerFinder {
  const { lifecycle, podSource, cgroupRoot, intervalMs, locate, log } = options;
  /** By their source, and by their ids. */
  const wanted = new Map<string, ReadonlyMap<string, RunningContainer>>();
  const lost = createLostContainers();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLooking = false;
  let isClosed = false;

  const schedule = (ms: number): void => {
    if (isClosed || isLooking || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      isLooking = true;
      void look()
        .catch((error: unknown) => log.error("running containers not found", { err: describeError(error) }))
        .finally(() => {
          isLooking = false;
          if (listUnknown().length > 0) schedule(intervalMs);
        });
    }, ms);
  };

  const listUnknown = (): readonly Wanted[] =>
    [...wanted].flatMap(([source, containers]) =>
      [...containers.values()]
        .filter(({ containerId }) => !lifecycle.knows(containerId))
        .map((container) => ({ source, container })),
    );

  const noteLost = (container: RunningContainer, reason: string): void => {
    // One that was on record has ended, and the list is older than its end.
    if (isClosed || lifecycle.hasEnded(container.containerId)) return;
    if (!lost.note(container, reason, nowNanos())) return;
    log.warn("running container's cgroup not found: it is in no policy", {
      namespace: container.podNamespace,
      pod: container.podName,
      container: container.containerName,
      containerID: container.containerId,
      err: reason,
    });
  };

  const report = ({ source, container }: Wanted, podUid: string | undefined, path: string): void => {
    // It may have come by a hook, or may have ended, while it was looked for.
    if (isClosed || lifecycle.knows(container.containerId)) return;
    if (wanted.get(source)?.get(container.containerId) !== container) return;
    const report = toContainerReport(container, podUid, path, nowNanos());
    if (!report.ok) noteLost(container, report.error.message);
    else {
      lifecycle.report(report.value, (refusal) => {
        if (refusal !== undefined) noteLost(container, refusal.message);
      });
    }
  };

  const look = async (): Promise<void> => {
    const unknown = listUnknown();
    if (unknown.length === 0) return;
    const idsByPod = new Map<string, Set<string>>();
    for (const { container } of unknown) {
      for (const uid of container.podUids)
        idsByPod.set(uid, (idsByPod.get(uid) ?? new Set()).add(container.containerId));
    }
    const found = await findPodCgroups(cgroupRoot, idsByPod);
    const elsewhere: Wanted[] = [];
    for (const [at, one] of unknown.entries()) {
      const cgroup = found.get(one.container.containerId);
      if (cgroup === undefined) elsewhere.push(one);
      else report(one, cgroup.podUid, cgroup.path);
      if (at % sliceSize === sliceSize - 1) await nextTurn();
    }
    for (const one of elsewhere) {
      const { containerId, podUids } = one.container;
      const path = await locate(containerId);
      if (path === undefined)
        noteLost(one.container, `no cgroup of this id in the pod's below ${cgroupRoot}`);
      // Of its UIDs the API's is certain: a static pod's hash may be written by any pod's author.
      else report(one, findPodUid(path) ?? podUids.at(-1), path);
    }
  };

  const want: ContainerFinder["want"] = (source, containers) => {
    if (containers.length === 0) wanted.delete(source);
    else wanted.set(source, new Map(containers.map((container) => [container.containerId, container])));
    if (containers.some(({ containerId }) => !lifecycle.knows(containerId))) schedule(gatherMs);
  };

  const unsubscribe = podSource.subscribe(({ kind, pod }) =>
    want(`pod ${pod.uid}`, kind === "deleted" || kind === "unlisted" ? [] : listRunning(pod)),
  );
  for (const pod of podSource.list()) want(`pod ${pod.uid}`, listRunning(pod));

  /** As things are now: some may have come by a hook since the last look. */
  const keepUnknown = (): void =>
    lost.keep(new Set(listUnknown().map(({ container }) => container.containerId)));

  return {
    want,
    listLost() {
      keepUnknown();
      return lost.list();
    },
    problem() {
      keepUnknown();
      return lost.problem(nowNanos());
    },
    close() {
      isClosed = true;
      unsubscribe();
      clearTimeout(timer);
    },
  };
}
