// SPDX-License-Identifier: Apache-2.0
// Finds the mounted cgroup hierarchy whose ids are used.

import { readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type CgroupLayout, findCgroupLayout } from "../core/cgroup-layout.ts";

/** CGROUP_SUPER_MAGIC and CGROUP2_SUPER_MAGIC of linux/magic.h: file systems without symlinks. */
const cgroupMagics = new Set([0x27e0eb, 0x63677270]);

export interface CgroupRoot {
  readonly path: string;
  readonly mode: CgroupLayout["mode"] | "given";
  readonly isCgroupFileSystem: boolean;
  /** Mount points of the version 1 hierarchies beside it; empty for a given root. */
  readonly v1Roots: readonly string[];
}

export interface CgroupRootOptions {
  /** Empty: find it. */
  readonly cgroupRoot: string;
  readonly procfs: string;
}

/**
 * The root of the hierarchy whose ids are used. With the host's /proc mounted elsewhere, the mounts are those of the host's
 * process 1, and their paths go through its root.
 */
export function findCgroupRoot({ cgroupRoot, procfs }: CgroupRootOptions): Result<CgroupRoot, string> {
  if (cgroupRoot !== "") return openRoot(cgroupRoot, "given", []);
  if (procfs === "/proc") return findMountedRoot("/proc/self/mountinfo", "");
  const hostRoot = findMountedRoot(`${procfs}/1/mountinfo`, `${procfs}/1/root`);
  if (hostRoot.ok) return hostRoot;
  // The root of another process needs CAP_SYS_PTRACE; most containers have the host's cgroup hierarchy mounted as well.
  const ownRoot = findMountedRoot("/proc/self/mountinfo", "");
  return ownRoot.ok ? ownRoot : hostRoot;
}

function findMountedRoot(mountinfo: string, prefix: string): Result<CgroupRoot, string> {
  let text: string;
  try {
    text = readFileSync(mountinfo, "utf8");
  } catch (error) {
    return err(`cannot read the mounts: ${describeError(error)}; set --procfs or --cgroup-root`);
  }
  const layout = findCgroupLayout(text);
  return layout === undefined
    ? err(`${mountinfo} lists neither a cgroup v2 nor a memory, pids or cpuset hierarchy; set --cgroup-root`)
    : openRoot(
        prefix + layout.root,
        layout.mode,
        layout.v1Roots.map((root) => prefix + root),
      );
}

function openRoot(
  path: string,
  mode: CgroupRoot["mode"],
  v1Roots: CgroupRoot["v1Roots"],
): Result<CgroupRoot, string> {
  try {
    // procfs/1/root must stay a symlink: resolved, it would be the agent's own root.
    const real = mode === "given" ? realpathSync(path) : path;
    if (!statSync(real).isDirectory()) return err(`the cgroup root ${path} is not a directory`);
    return ok({ path: real, mode, isCgroupFileSystem: cgroupMagics.has(statfsSync(real).type), v1Roots });
  } catch (error) {
    return err(`cannot use the cgroup root ${path}: ${describeError(error)}`);
  }
}
