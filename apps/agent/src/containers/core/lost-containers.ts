// SPDX-License-Identifier: Apache-2.0
// Containers that the pod source or the runtime lists as running and whose cgroups have not been found: they are in no
// policy.

import type { ContainerRecord } from "./container-record.ts";
import type { RunningContainer } from "./running-container.ts";

export interface LostContainers {
  /** It was looked for once more, in vain. True: for so long now that people should know. */
  note(container: RunningContainer, reason: string, nowNanos: bigint): boolean;
  /** All others are found, or do not run any more. */
  keep(containerIds: ReadonlySet<string>): void;
  list(): readonly ContainerRecord[];
  /** Empty where none has been looked for for long. */
  problem(nowNanos: bigint): string;
}

interface Lost {
  readonly container: RunningContainer;
  readonly reason: string;
  readonly sinceNanos: bigint;
  readonly isReported: boolean;
}

/** The kubelet may list a container a moment before the runtime has made its cgroup, and some seconds after its end. */
const graceNanos = 15_000_000_000n;

export function createLostContainers(): LostContainers {
  const lost = new Map<string, Lost>();
  const isOld = ({ sinceNanos }: Lost, nowNanos: bigint): boolean => nowNanos - sinceNanos >= graceNanos;
  return {
    note(container, reason, nowNanos) {
      const before = lost.get(container.containerId);
      const now = {
        ...{ container, reason },
        sinceNanos: before?.sinceNanos ?? nowNanos,
        isReported: before?.isReported ?? false,
      };
      const isNews = !now.isReported && isOld(now, nowNanos);
      lost.set(container.containerId, { ...now, isReported: now.isReported || isNews });
      return isNews;
    },
    keep(containerIds) {
      for (const id of lost.keys()) if (!containerIds.has(id)) lost.delete(id);
    },
    list: () => [...lost.values()].map(toRecord),
    problem(nowNanos) {
      const old = [...lost.values()].filter((one) => isOld(one, nowNanos));
      const [first] = old;
      if (first === undefined) return "";
      const { podNamespace, podName, containerName } = first.container;
      const others = old.length === 1 ? "" : ` and ${old.length - 1} more`;
      return `the cgroup of a running container is not found, so that it is in no policy: ${podNamespace}/${podName}/${containerName}${others}`;
    },
  };
}

const toRecord = ({ container, reason, sinceNanos }: Lost): ContainerRecord => ({
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
});
