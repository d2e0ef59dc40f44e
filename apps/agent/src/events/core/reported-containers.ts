// SPDX-License-Identifier: Apache-2.0
// Tells the thread of the events of each container before the kernel's maps have it, and again when the pod source knows
// more: the kubelet writes a pod's status after the container has started.

import type { Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { EventContainer } from "./agent-event.ts";

/** Where the lifecycle puts containers. */
interface ContainerSink extends Pick<PolicyFilter, "remove" | "updatePod"> {
  add(container: PlacedContainer): Result<void, Refusal>;
}

export interface EventContainers {
  /** `runsAlready`: it has processes that are older than any record about it. */
  putContainer(container: EventContainer, runsAlready: boolean): void;
  removeContainer(cgroupId: bigint): void;
}

export interface ReportedContainers extends ContainerSink {
  /** The container with this root cgroup. */
  findContainerId(cgroupId: bigint): string | undefined;
  /** Ends the subscription to the pod source. */
  close(): void;
}

export interface ReportOptions {
  readonly events: EventContainers;
  /** Where they go afterwards; one that it refuses has no events. */
  readonly sink: ContainerSink;
  readonly podSource: Pick<PodSource, "find" | "subscribe">;
}

/** What only the pod source knows. */
type PodDetails = Pick<EventContainer, "runtime" | "workload" | "workloadKind" | "imageId" | "startTimeMs">;

const noDetails: PodDetails = {
  ...{ runtime: "", workload: "", workloadKind: "", imageId: "", startTimeMs: undefined },
};

export function reportContainers({ events, sink, podSource }: ReportOptions): ReportedContainers {
  const reported = new Map<string, EventContainer>();
  const idByCgroup = new Map<bigint, string>();
  /** A node has one: an id is the same before and after the status of its pod has it. */
  let runtime = "";

  const remove = (containerId: string): void => {
    const before = reported.get(containerId);
    if (before === undefined) return;
    reported.delete(containerId);
    idByCgroup.delete(before.cgroupId);
    events.removeContainer(before.cgroupId);
  };

  /** A pod that the source does not have any more leaves what it was. */
  const findDetails = (container: EventContainer): PodDetails => {
    const { id, podUid, namespace, podName: name } = container;
    const before = reported.get(id);
    const isSamePod = before?.podUid === podUid && before.namespace === namespace && before.podName === name;
    const known = { ...(isSamePod ? toDetails(before) : noDetails), runtime };
    const pod = podSource.find({ uid: podUid === "" ? undefined : podUid, namespace, name });
    if (pod === undefined) return known;
    const status = pod.containers.find((listed) => listed.id === id);
    if (status !== undefined) runtime = status.runtime;
    const ofStatus = status && { runtime, imageId: status.imageId, startTimeMs: status.startedMs };
    return { ...known, workload: pod.workload.name, workloadKind: pod.workload.kind, ...ofStatus };
  };

  const put = (told: EventContainer, runsAlready: boolean): void => {
    const container = { ...told, ...findDetails(told) };
    if (reported.get(container.id)?.cgroupId !== container.cgroupId) remove(container.id);
    reported.set(container.id, container);
    idByCgroup.set(container.cgroupId, container.id);
    events.putContainer(container, runsAlready);
  };

  const unsubscribe = podSource.subscribe(({ kind, pod }) => {
    if (kind !== "changed" && kind !== "containers") return;
    for (const container of reported.values()) {
      if (container.podName !== pod.name || container.namespace !== pod.namespace) continue;
      if (!areSame(findDetails(container), container)) put(container, false);
    }
  });

  return {
    add(container) {
      put(toEventContainer(container), container.runsAlready === true);
      const done = sink.add(container);
      if (!done.ok) remove(container.containerId);
      return done;
    },
    remove(containerId) {
      sink.remove(containerId);
      remove(containerId);
    },
    updatePod(update) {
      const { podUid = "", podName, namespace, labels } = update;
      for (const containerId of update.containerIds) {
        const before = reported.get(containerId);
        if (before !== undefined) put({ ...before, podUid, podName, namespace, labels }, false);
      }
      sink.updatePod(update);
    },
    findContainerId: (cgroupId) => idByCgroup.get(cgroupId),
    close: unsubscribe,
  };
}

const areSame = (a: PodDetails, b: PodDetails): boolean =>
  a.runtime === b.runtime &&
  a.workload === b.workload &&
  a.workloadKind === b.workloadKind &&
  a.imageId === b.imageId &&
  a.startTimeMs === b.startTimeMs;

const toDetails = ({
  runtime,
  workload,
  workloadKind,
  imageId,
  startTimeMs,
}: EventContainer): PodDetails => ({
  ...{ runtime, workload, workloadKind, imageId, startTimeMs },
});

const toEventContainer = (container: PlacedContainer): EventContainer => ({
  ...(container.cgroupPath === undefined ? {} : { cgroupPath: container.cgroupPath }),
  ...{ cgroupId: container.cgroupId, id: container.containerId, name: container.containerName },
  ...{ image: container.image, pid: undefined, ...noDetails },
  ...{ podName: container.podName, podUid: container.podUid ?? "", namespace: container.namespace },
  labels: container.labels,
});
