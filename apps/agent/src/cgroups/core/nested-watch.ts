// SPDX-License-Identifier: Apache-2.0
// The port for watching the nested cgroups of containers.

import type { Cgroup } from "@rthooks/machines/pod";

/** Reports children of watched cgroups that are created or removed. */
export interface NestedWatch {
  /** Adds a cgroup to those that are watched for the container. */
  begin(containerId: string, cgroup: Cgroup): void;
  /** Watches these cgroups for the container, and no others. True: some of them were not watched before. */
  set(containerId: string, cgroups: readonly Cgroup[]): boolean;
  end(containerId: string): void;
}
