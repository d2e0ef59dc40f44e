// SPDX-License-Identifier: Apache-2.0
// The port of the watch on cgroups below the containers' own.

import type { Cgroup } from "@rthooks/machines/pod";

/** Reports changes below cgroups as they happen. */
export interface NestedWatch {
  /** The container's own, beside what is watched for it already. */
  begin(containerId: string, cgroup: Cgroup): void;
  /** These are all that is to be watched for the container. True: some of them were not watched until now. */
  set(containerId: string, cgroups: readonly Cgroup[]): boolean;
  end(containerId: string): void;
}
