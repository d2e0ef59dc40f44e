// SPDX-License-Identifier: Apache-2.0
// What clients see: the containers on record, and the starts that wait for their pod.

import { type ContainerChanges, createContainerChanges } from "./container-changes.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { toWaitingRecord } from "./unrecorded-container.ts";
import type { WaitingStarts } from "./waiting-starts.ts";

export interface ShownContainers {
  list(): readonly ContainerRecord[];
  readonly changes: ContainerChanges;
}

/** `listRecorded`: those of the lifecycle, and running ones whose cgroup is not found. */
export function createShownContainers(
  lifecycle: Pick<Lifecycle, "find" | "observe">,
  listRecorded: () => readonly ContainerRecord[],
  waiting: Pick<WaitingStarts, "list">,
  nowNanos: () => bigint,
): ShownContainers {
  const list = (): readonly ContainerRecord[] => [
    ...listRecorded(),
    ...waiting
      .list()
      .filter(({ containerId }) => lifecycle.find(containerId) === undefined)
      .map(toWaitingRecord),
  ];
  const find = (id: string): ContainerRecord | undefined => {
    const recorded = lifecycle.find(id);
    if (recorded !== undefined) return recorded;
    const report = waiting.list().findLast(({ containerId }) => containerId === id);
    return report && toWaitingRecord(report);
  };
  return { list, changes: createContainerChanges({ list, find, observe: lifecycle.observe, nowNanos }) };
}
