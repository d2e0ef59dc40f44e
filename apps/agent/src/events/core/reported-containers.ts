// SPDX-License-Identifier: Apache-2.0
// Tells the thread of the events of each container before the kernel's maps have it.

import type { FilteredContainer } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import type { EventContainer } from "./agent-event.ts";

/** Where the lifecycle puts containers. */
export interface ContainerSink extends Pick<PolicyFilter, "remove" | "updatePod"> {
  add(container: PlacedContainer): Result<void, Refusal>;
}

export interface EventContainers {
  putContainer(container: EventContainer): void;
  removeContainer(cgroupId: bigint): void;
}

export interface ReportedContainers extends ContainerSink {
  /** The container with this root cgroup. */
  findContainerId(cgroupId: bigint): string | undefined;
}

/** `sink`: where they go afterwards; one that it refuses has no events. */
export function reportContainers(events: EventContainers, sink: ContainerSink): ReportedContainers {
  const reported = new Map<string, EventContainer>();
  const idByCgroup = new Map<bigint, string>();

  const remove = (containerId: string): void => {
    const before = reported.get(containerId);
    if (before === undefined) return;
    reported.delete(containerId);
    idByCgroup.delete(before.cgroupId);
    events.removeContainer(before.cgroupId);
  };

  const put = (container: EventContainer): void => {
    if (reported.get(container.id)?.cgroupId !== container.cgroupId) remove(container.id);
    reported.set(container.id, container);
    idByCgroup.set(container.cgroupId, container.id);
    events.putContainer(container);
  };

  return {
    add(container) {
      put(toEventContainer(container));
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
        if (before !== undefined) put({ ...before, podUid, podName, namespace, labels });
      }
      sink.updatePod(update);
    },
    findContainerId: (cgroupId) => idByCgroup.get(cgroupId),
  };
}

const toEventContainer = (container: FilteredContainer): EventContainer => ({
  ...{ cgroupId: container.cgroupId, id: container.containerId, name: container.containerName },
  ...{ image: container.image, imageId: "", startTimeMs: undefined, pid: undefined },
  ...{ podName: container.podName, podUid: container.podUid ?? "", namespace: container.namespace },
  ...{ labels: container.labels, workload: "", workloadKind: "" },
});
