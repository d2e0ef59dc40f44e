// SPDX-License-Identifier: Apache-2.0
// Notices that containers have ended: their cgroup is gone, or the runtime reported the end and the cgroup is empty.

import type { Logger } from "@rthooks/log";
import type { ContainerRef } from "@rthooks/machines/pod";
import { createRecentIds } from "../../base/core/recent-ids.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";

export interface ContainerEnds {
  /** Ends the container if its cgroup is gone, or empty after a reported stop. */
  checkCgroup(containerId: string): void;
  /** The runtime reports that these containers have ended. Unknown ones are ignored. */
  reportStopped(containerIds: Iterable<string>): void;
  /** The container was reported to run: an earlier reported stop does not count any more. */
  cancelStop(containerId: string): void;
  add(containerId: string): void;
  delete(containerId: string): void;
  /** Whether the container was on record and has ended: a list that has it as running is old. */
  has(containerId: string): boolean;
}

export interface EndsOptions {
  findContainer(containerId: string): ContainerRef | undefined;
  readonly cgroupResolver: CgroupResolver;
  readonly log: Logger;
}

export function createContainerEnds(options: EndsOptions): ContainerEnds {
  const { findContainer, cgroupResolver, log } = options;
  const ended = createRecentIds();
  /** Reported stopped, and not empty when last checked. */
  const stopping = new Set<string>();
  return {
    checkCgroup(containerId) {
      const container = findContainer(containerId);
      const snapshot = container?.getSnapshot();
      const cgroup = snapshot?.context.cgroup;
      if (cgroup === undefined || snapshot?.value !== "released") return;
      if (cgroupResolver.inspect(cgroup) === "gone") container?.send({ type: "cgroup.vanished" });
      else if (stopping.has(containerId) && cgroupResolver.isEmpty(cgroup)) {
        container?.send({ type: "container.stopped" });
      }
    },
    // A caller may lie, and a report may be late: a container with processes stays in the policy filter. It ends when a
    // check finds its cgroup empty, unless it was reported again in the meantime.
    reportStopped(containerIds) {
      for (const containerId of new Set(containerIds)) {
        const container = findContainer(containerId);
        const cgroup = container?.getSnapshot().context.cgroup;
        if (cgroup === undefined || cgroupResolver.isEmpty(cgroup)) {
          container?.send({ type: "container.stopped" });
        } else if (!stopping.has(containerId)) {
          stopping.add(containerId);
          log.info("container reported stopped, but its cgroup still has processes", {
            containerID: containerId,
          });
        }
      }
    },
    cancelStop: (containerId) => void stopping.delete(containerId),
    add: (containerId) => void ended.add(containerId),
    delete: ended.delete,
    has: ended.has,
  };
}
