// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

interface Hierarchy {
  readonly root: string;
  readonly version: 1 | 2;
}

/** Every mounted cgroup hierarchy; a container gets a directory in each. */
function findHierarchies(): readonly Hierarchy[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, root, type] = line.split(" ");
      if (root === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
      return [{ root, version: type === "cgroup" ? (1 as const) : (2 as const) }];
    });
}

export function findCgroupDirectories(path: string): readonly string[] {
  return findHierarchies()
    .map(({ root }) => join(root, path))
    .filter((directory) => existsSync(directory));
}

/** The directory in the v2 hierarchy, or in the first v1 one where the host has no v2. */
export function findCgroupDirectory(path: string): string {
  const hierarchies = findHierarchies();
  const hierarchy =
    hierarchies.find(({ version }) => version === 2) ??
    hierarchies.find(({ root }) => root.endsWith("/memory")) ??
    hierarchies[0];
  if (hierarchy === undefined) throw new Error("no cgroup hierarchy is mounted");
  return join(hierarchy.root, path);
}

export function readCgroupId(path: string): bigint {
  return statSync(findCgroupDirectory(path), { bigint: true }).ino;
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** Removes an empty cgroup and what is below it from every hierarchy. */
export function removeCgroup(path: string): void {
  if (path.replaceAll("/", "") === "") throw new Error("the root cgroup is not ours to remove");
  for (const directory of findCgroupDirectories(path)) {
    // The kernel frees a cgroup a moment after its last process: EBUSY until then.
    for (let attempt = 0; ; attempt++) {
      try {
        removeTree(directory);
        break;
      } catch (error) {
        if (attempt === 200) throw error;
        Bun.sleepSync(5);
      }
    }
  }
}
