// SPDX-License-Identifier: Apache-2.0
// From a container's path to the id by which the kernel knows its cgroup.

import type { Cgroup } from "@rthooks/machines/pod";
import type { Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { FoundNested } from "./nested-cgroups.ts";

export interface CgroupResolver {
  /** One line for people where the hierarchy cannot be seen any more; empty where it can. */
  problem(): string;
  /** `path` is what `expandCgroupsPath` gave. */
  resolve(path: string): Result<Cgroup, Refusal>;
  /**
   * "gone" also when another directory has taken its place; "parent" where there are cgroups below it. Nothing is gone while
   * the hierarchy itself cannot be seen.
   */
  inspect(cgroup: Cgroup): "gone" | "unreadable" | "leaf" | "parent";
  /** Those below it, at any depth: what runs there is a part of the container. Undefined where it cannot be said. */
  listNested(cgroup: Cgroup): FoundNested | undefined;
  /** The path of a cgroup below that holds pods or is another container's; for one that is no container's by its path. */
  findForeignBelow(cgroup: Cgroup): string | undefined;
  /** True when no process is left in it or below, as far as the kernel says. */
  isEmpty(cgroup: Cgroup): boolean;
}
