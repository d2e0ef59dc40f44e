// SPDX-License-Identifier: Apache-2.0
// Containers that the pod source or the runtime lists as running and whose cgroups were not found: no policy selects them.

import type { ContainerRecord } from "./container-record.ts";
import type { RunningContainer } from "./running-container.ts";

export interface MissingContainers {
  /** A search did not find its cgroup. True: report it now; once, and not before the grace period is over. */
  add(container: RunningContainer, reason: string, nowNanos: bigint): boolean;
  /** Drops all containers but these. */
  retain(containerIds: ReadonlySet<string>): void;
  list(): readonly ContainerRecord[];
  /** One line for users about those that are missing for longer than the grace period; empty where there are none. */
  problem(nowNanos: bigint): string;
}

interface Missing {
  readonly container: RunningContainer;
  readonly reason: string;
  readonly sinceNanos: bigint;
  readonly isReported: boolean;
}

/** The kubelet may list a container a moment before the runtime has made its cgroup, and some seconds after its end. */
const graceNanos = 15_000_000_000n;

export function createMissingContainers(): MissingContainers {
  const missing = new Map<string, Missing>();
  const isOverdue = ({ sinceNanos }: Missing, nowNanos: bigint): boolean =>
    nowNanos - sinceNanos >= graceNanos;
  return {
    add(container, reason, nowNanos) {
      const before = missing.get(container.containerId);
      const now = {
        ...{ container, reason },
        sinceNanos: before?.sinceNanos ?? nowNanos,
        isReported: before?.isReported ?? false,
      };
      const isDue = !now.isReported && isOverdue(now, nowNanos);
      missing.set(container.containerId, { ...now, isReported: now.isReported || isDue });
      return isDue;
    },
    retain(containerIds) {
      for (const containerId of missing.keys())
        if (!containerIds.has(containerId)) missing.delete(containerId);
    },
    list: () => [...missing.values()].map(toRecord),
    problem(nowNanos) {
      const overdue = [...missing.values()].filter((one) => isOverdue(one, nowNanos));
      const [first] = overdue;
      if (first === undefined) return "";
      const { podNamespace, podName, containerName } = first.container;
      const others = overdue.length === 1 ? "" : ` and ${overdue.length - 1} more`;
      return `cgroup of a running container not found, no policy selects it: ${podNamespace}/${podName}/${containerName}${others}`;
    },
  };
}

const toRecord = ({ container, reason, sinceNanos }: Missing): ContainerRecord => ({
  id: container.containerId,
  name: container.containerName,
  image: container.image,
  podUid: container.podUids.at(-1) ?? "",
  podName: container.podName,
  podNamespace: container.podNamespace,
  podLabels: container.podLabels ?? new Map<string, string>(),
  cgroupPath: "",
  cgroupId: 0n,
  state: "missing",
  source: container.source,
  reportedAtNanos: sinceNanos,
  error: reason,
  errorKind: "cgroup-missing",
});
