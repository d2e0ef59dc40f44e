// SPDX-License-Identifier: Apache-2.0
// From a container's path to the id by which the kernel knows its cgroup.

import type { Cgroup } from "@rthooks/machines/pod";
import type { Result } from "@rthooks/result";
import type { Refusal } from "./refusal.ts";

export interface Inspected {
  /** Those below it, at any depth: what runs there is a part of the container. */
  readonly nested: readonly Cgroup[];
}

export interface CgroupResolver {
  /** `path` is what `expandCgroupsPath` gave. */
  resolve(path: string): Result<Cgroup, Refusal>;
  /** "gone" also when another directory has taken its place. */
  inspect(cgroup: Cgroup): "gone" | "unreadable" | Inspected;
  /** True when no process is left in it or below, as far as the kernel says. */
  isEmpty(cgroup: Cgroup): boolean;
}
