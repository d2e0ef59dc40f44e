// SPDX-License-Identifier: Apache-2.0
// Cgroups of started containers whose pod actor stopped with an error. They stay in the policy filter until they are gone,
// or until the container is reported again.

import type { Cgroup } from "@rthooks/machines/pod";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";

export interface UnownedCgroups {
  add(containerId: string, cgroup: Cgroup): void;
  /** The container has an actor again. */
  delete(containerId: string): void;
  /** Ends the cgroup's membership in the policy filter if it is gone. */
  check(containerId: string): void;
  containerIds(): Iterable<string>;
}

export function createUnownedCgroups(
  resolver: Pick<CgroupResolver, "inspect">,
  onGone: (containerId: string) => void,
): UnownedCgroups {
  const cgroupOf = new Map<string, Cgroup>();
  return {
    add: (containerId, cgroup) => void cgroupOf.set(containerId, cgroup),
    delete: (containerId) => void cgroupOf.delete(containerId),
    check(containerId) {
      const cgroup = cgroupOf.get(containerId);
      if (cgroup === undefined || resolver.inspect(cgroup) !== "gone") return;
      cgroupOf.delete(containerId);
      onGone(containerId);
    },
    containerIds: () => cgroupOf.keys(),
  };
}
