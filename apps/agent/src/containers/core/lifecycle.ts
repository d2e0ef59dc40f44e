// SPDX-License-Identifier: Apache-2.0
// The lifecycle of the node's containers: from a report to the end of the container's cgroup.
//
// A report goes to the actor of its pod, which passes it to the actor of its container. The container's machine decides,
// and its effects (container-effects.ts) find the cgroup, add it to the policy filter and answer the callers.

import type { Inspect } from "@rthooks/machines/inspection";
import {
  type Cgroup,
  type ContainerReport,
  type ContainerSnapshot,
  type Failure,
  runsAlready,
} from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { createRecentIds } from "../../base/core/recent-ids.ts";
import type { Refusal } from "../../base/core/refusal.ts";
import { choosePod } from "./choose-pod.ts";
import type { ContainerEffects } from "./container-effects.ts";
import { createContainerEnds } from "./container-ends.ts";
import type { ContainerFacts } from "./container-facts.ts";
import { createContainerHistory } from "./container-history.ts";
import { type ContainerRecord, toContainerRecord } from "./container-record.ts";
import { createContainerRoots, toOverlapRefusal } from "./container-roots.ts";
import { createFailedContainers } from "./failed-containers.ts";
import { createPluginRefusals } from "./plugin-refusals.ts";
import { createPodActors, type PodActorsOptions } from "./pod-actors.ts";
import { forwardPodChange } from "./pod-changes.ts";
import { providePodEffects } from "./pod-effects.ts";
import { createPodKeys } from "./pod-keys.ts";
import { findRecordedRoot } from "./root-cgroup.ts";
import { createUnownedCgroups } from "./unowned-cgroups.ts";
import { createWaitingCallers, type OnAnswer } from "./waiting-callers.ts";

type Ports = "podSource" | "containerPolicies" | "cgroupResolver" | "time" | "log" | "failureRetentionMs";

export interface LifecycleOptions
  extends Pick<ContainerEffects, Ports>,
    Pick<PodActorsOptions, "inspect" | "clock"> {}

export interface Lifecycle {
  /** Calls `onAnswer` exactly once, and before it returns where nothing has to be waited for. */
  report(report: ContainerReport, onAnswer: OnAnswer): void;
  list(): readonly ContainerRecord[];
  find(containerId: string): ContainerRecord | undefined;
  /** For the explanation of a container that is on record, has ended lately, or was refused lately. */
  findFacts(containerId: string): ContainerFacts | undefined;
  /** The containers on record, then the ended and refused ones from the oldest to the newest. */
  listFacts(): Iterable<ContainerFacts>;
  /** Whether the container is released or about to be. */
  has(containerId: string): boolean;
  /** Whether the container was on record and has ended: a list that has it as running is old. */
  hasEnded(containerId: string): boolean;
  /** The containers that a sweep has to check. */
  containerIds(): readonly string[];
  /** Ends the container if its cgroup is gone, or empty after a reported stop. */
  checkCgroup(containerId: string): void;
  /** The runtime reports that these containers have ended. Unknown ones are ignored. */
  reportStopped(containerIds: Iterable<string>): void;
  /** Inspects all pods and containers until the returned function is called. */
  observe(inspect: Inspect): () => void;
  /** A call was refused; counts for an explanation if the container is not on record. */
  recordRefusal(report: ContainerReport, refusal: Failure): void;
  /** The NRI plugin reports that it refused the container, and why. */
  reportRefused(containerId: string, reason: string): void;
  close(): void;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { podSource, containerPolicies, cgroupResolver, log } = options;
  const callers = createWaitingCallers();
  const roots = createContainerRoots();
  const podKeys = createPodKeys();
  const pluginRefusals = createPluginRefusals();
  const history = createContainerHistory(options.time, pluginRefusals);
  /** Keys of the pods of which a container was released. */
  const startedPods = new Set<string>();
  /** Containers that are listed as running and were refused: lists repeat them, the log does not. */
  const refusedListed = createRecentIds();

  const podActors = createPodActors({ ...options, onError: (key, error) => endFailedPod(key, error) });
  const { findContainer } = podActors;
  const findRoot = (containerId: string): Cgroup | undefined =>
    findContainer(containerId)?.getSnapshot().context.cgroup;

  const failed = createFailedContainers((containerId) =>
    findContainer(containerId)?.send({ type: "failure.discarded" }),
  );
  const ends = createContainerEnds({ ...options, findContainer });
  const removeFromFilter = (containerId: string): void => {
    containerPolicies.remove(containerId);
    roots.remove(containerId);
  };
  const unowned = createUnownedCgroups(cgroupResolver, removeFromFilter);

  const forgetContainer = (containerId: string): void => {
    failed.delete(containerId);
    history.times.forget(containerId);
    ends.cancelStop(containerId);
    podActors.removeContainer(containerId);
  };

  const recordRefusal = (refused: ContainerReport, refusal: Failure): void => {
    if (findContainer(refused.containerId) === undefined) history.refuse(refused, refusal);
  };

  const forgetPod = (key: string): boolean => {
    podActors.remove(key);
    podKeys.forget(key);
    return startedPods.delete(key);
  };

  const podLogic = providePodEffects({
    ...{ ...options, callers, failed, isFirstRefusal: refusedListed.add },
    times: history.times,
    onAdded(containerId, { path }) {
      unowned.delete(containerId);
      roots.put(containerId, path);
      refusedListed.delete(containerId);
      ends.delete(containerId);
      startedPods.add(podActors.findKey(containerId) ?? "");
    },
    onRemoved: roots.remove,
    onGone(containerId, context) {
      if (context?.cgroup !== undefined) ends.add(containerId);
      if (context !== undefined) history.end(context);
      forgetContainer(containerId);
    },
    onRefused: recordRefusal,
    onPodGone: forgetPod,
  });

  /** A bug in a machine ended the pod's actor. Its callers are answered, and started containers keep their policies. */
  const endFailedPod = (key: string, error: unknown): void => {
    const message = describeError(error);
    log.error("pod lifecycle ended by an error", { podKey: key, err: message });
    const containers = podActors.find(key)?.getSnapshot().context.containers;
    forgetPod(key);
    for (const containerId of [...podActors.containerIds()]) {
      if (podActors.findKey(containerId) !== key) continue;
      forgetContainer(containerId);
      const root = containers?.get(containerId)?.getSnapshot().context.cgroup;
      if (root === undefined) removeFromFilter(containerId);
      else unowned.add(containerId, root);
      callers.answer(containerId, { kind: "internal", message });
    }
  };

  const checkCgroup = (containerId: string): void => {
    unowned.check(containerId);
    ends.checkCgroup(containerId);
  };

  /** A cgroup belongs to one container. The container that has it is checked first: it may have ended. */
  const checkOverlap = ({ containerId, cgroupsPath }: ContainerReport): Result<void, Refusal> => {
    const first = roots.findOverlap(containerId, cgroupsPath);
    if (first === undefined) return ok(undefined);
    checkCgroup(first.containerId);
    const overlap = roots.findOverlap(containerId, cgroupsPath);
    return overlap === undefined ? ok(undefined) : err(toOverlapRefusal(cgroupsPath, overlap));
  };

  const removeIfOver = (containerId: string): void => {
    findContainer(containerId)?.send({ type: "failure.discarded" });
    checkCgroup(containerId);
  };

  const report = (reported: ContainerReport, onAnswer: OnAnswer): void => {
    const { containerId, cgroupsPath } = reported;
    const place = checkOverlap(reported);
    const podKey = place.ok ? choosePod(reported, { podActors, podKeys, podSource, removeIfOver }) : place;
    if (!podKey.ok) {
      const { kind, message } = podKey.error;
      if (!runsAlready(reported) || refusedListed.add(containerId)) {
        log.warn("hook call refused", { containerID: containerId, reason: kind, err: message });
      }
      onAnswer(podKey.error);
      recordRefusal(reported, podKey.error);
      return;
    }
    const key = podKey.value;
    // Found here, a repeated report costs its container one event and no effect.
    const cgroup = findRecordedRoot(findRoot(containerId), cgroupsPath, cgroupResolver);
    callers.add(containerId, onAnswer);
    podActors.putContainer(containerId, key);
    ends.cancelStop(containerId);
    const pod = podActors.find(key) ?? podActors.start(key, podLogic, reported);
    pod.send({ type: "container.reported", report: { ...reported, cgroup } });
  };

  const snapshots = function* (): Iterable<ContainerSnapshot> {
    for (const pod of podActors.list())
      for (const container of pod.getSnapshot().context.containers.values()) yield container.getSnapshot();
  };

  const unsubscribe = podSource.subscribe((change) => forwardPodChange(change, podActors, podKeys));

  return {
    report,
    list: () => [...snapshots()].map((snapshot) => pluginRefusals.explain(toContainerRecord(snapshot))),
    findFacts(containerId) {
      const snapshot = findContainer(containerId)?.getSnapshot();
      return snapshot === undefined
        ? history.findEnded(containerId)
        : history.ofRecord(snapshot.context, snapshot.value);
    },
    *listFacts() {
      for (const { context, value } of snapshots()) yield history.ofRecord(context, value);
      for (const facts of history.listEnded())
        if (findContainer(facts.report.containerId) === undefined) yield facts;
    },
    recordRefusal,
    find(containerId) {
      const container = findContainer(containerId);
      return container && pluginRefusals.explain(toContainerRecord(container.getSnapshot()));
    },
    has(containerId) {
      const state = findContainer(containerId)?.getSnapshot().value;
      return state !== undefined && state !== "failed" && state !== "gone";
    },
    hasEnded: ends.has,
    containerIds: () => [...podActors.containerIds(), ...unowned.containerIds()],
    checkCgroup,
    observe: podActors.observe,
    reportStopped: ends.reportStopped,
    reportRefused(containerId, reason) {
      pluginRefusals.add(containerId, reason);
      log.warn("container denied by the NRI plugin", { containerID: containerId, err: reason });
    },
    close() {
      unsubscribe();
      podActors.close();
    },
  };
}
