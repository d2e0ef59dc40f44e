// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";

/** The v2 hierarchy of this host; the agent looks cgroups up there. */
export function findCgroupRoot(): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const line = mounts.split("\n").find((entry) => entry.split(" ")[2] === "cgroup2");
  const root = line?.split(" ")[1];
  if (root === undefined) throw new Error("no cgroup2 hierarchy is mounted");
  return root;
}

/** Runs the work with a cgroup of our own below the v2 root; removes it and the children that work made. */
export async function withCgroups<T>(
  root: string,
  names: readonly string[],
  work: (paths: readonly string[]) => Promise<T>,
): Promise<T> {
  const parent = `/rthooks-bench-${process.pid}`;
  const paths = names.map((name) => `${parent}/${name}`);
  mkdirSync(root + parent);
  try {
    for (const path of paths) mkdirSync(root + path);
    return await work(paths);
  } finally {
    for (const path of paths) rmdirSync(root + path);
    rmdirSync(root + parent);
  }
}
