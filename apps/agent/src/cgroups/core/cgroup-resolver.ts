// SPDX-License-Identifier: Apache-2.0
// The port to the cgroup hierarchy: from a path to the cgroup's id.

import type { Cgroup } from "@rthooks/machines/pod";
import type { Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";

export interface CgroupResolver {
  /** One line for users where the hierarchy is not accessible any more; empty where it is. */
  problem(): string;
  /** `path`: as `expandCgroupsPath` returns it. */
  resolve(path: string): Result<Cgroup, Refusal>;
  /** "gone": also where another cgroup has the path now. "unreadable": also while the hierarchy is not accessible. */
  inspect(cgroup: Cgroup): "exists" | "gone" | "unreadable";
  /** The path of a cgroup below it that holds pods or belongs to another container; undefined where there is none. */
  findForeignBelow(cgroup: Cgroup): string | undefined;
  /** Whether the cgroup and those below it have no process. False where they cannot be read. */
  isEmpty(cgroup: Cgroup): boolean;
}
