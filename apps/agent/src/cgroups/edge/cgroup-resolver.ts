// SPDX-License-Identifier: Apache-2.0
// Cgroup ids from the mounted hierarchy. The id of a cgroup is the inode number of its directory (kernfs;
// the same number that bpf_get_current_cgroup_id() gives for the v2 hierarchy), so one stat finds it.

import { existsSync, lstatSync, readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { Cgroup } from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { listDirectories } from "../../base/edge/list-directories.ts";
import { type CgroupLayout, findCgroupLayout } from "../core/cgroup-layout.ts";
import type { CgroupResolver } from "../core/cgroup-resolver.ts";
import { isForeign } from "../core/container-place.ts";
import { type FoundNested, maxNested } from "../core/nested-cgroups.ts";

/** CGROUP_SUPER_MAGIC and CGROUP2_SUPER_MAGIC of linux/magic.h: file systems that cannot hold a symlink. */
const cgroupMagics = new Set([0x27e0eb, 0x63677270]);

const kernfsLinksWithoutChildren = 2n;
/** More directories than this in one are not listed: the whole list comes in one go, and hook calls wait meanwhile. */
const maxListed = 4096n;

const statOptions = { bigint: true, throwIfNoEntry: false } as const; // const: the overload with bigints

export interface CgroupRoot {
  readonly path: string;
  readonly mode: CgroupLayout["mode"] | "given";
  readonly isCgroupFileSystem: boolean;
  /** Of the version 1 hierarchies beside it, as far as they are known. */
  readonly v1Roots: readonly string[];
}

export interface CgroupRootOptions {
  /** Empty: find it. */
  readonly cgroupRoot: string;
  readonly procfs: string;
}

/**
 * The hierarchy that gives the ids. With the host's /proc mounted elsewhere the host's mounts are those of
 * its process 1, seen through its root.
 */
export function findCgroupRoot({ cgroupRoot, procfs }: CgroupRootOptions): Result<CgroupRoot, string> {
  if (cgroupRoot !== "") return openRoot(cgroupRoot, "given", []);
  if (procfs === "/proc") return findMountedRoot("/proc/self/mountinfo", "");
  const ofHost = findMountedRoot(`${procfs}/1/mountinfo`, `${procfs}/1/root`);
  if (ofHost.ok) return ofHost;
  // Looking through the root of another process needs CAP_SYS_PTRACE; most containers have the host's cgroup
  // hierarchy mounted as well.
  const ofOurs = findMountedRoot("/proc/self/mountinfo", "");
  return ofOurs.ok ? ofOurs : ofHost;
}

function findMountedRoot(mountinfo: string, prefix: string): Result<CgroupRoot, string> {
  let text: string;
  try {
    text = readFileSync(mountinfo, "utf8");
  } catch (error) {
    return err(`the mounts cannot be read: ${describeError(error)}; give --procfs or --cgroup-root`);
  }
  const layout = findCgroupLayout(text);
  return layout === undefined
    ? err(`${mountinfo} has neither a cgroup v2 nor a memory, pids or cpuset hierarchy; give --cgroup-root`)
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
    // procfs/1/root is a symlink that must stay one: resolved, it would name our own root.
    const real = mode === "given" ? realpathSync(path) : path;
    if (!statSync(real).isDirectory()) return err(`the cgroup root ${path} is not a directory`);
    return ok({ path: real, mode, isCgroupFileSystem: cgroupMagics.has(statfsSync(real).type), v1Roots });
  } catch (error) {
    return err(`the cgroup root ${path} cannot be used: ${describeError(error)}`);
  }
}

export function createCgroupResolver(root: CgroupRoot): CgroupResolver {
  const { dev: device, ino: rootId } = statSync(root.path, { bigint: true });
  /** False where the root was unmounted, or something was mounted over it. */
  const isIntact = (): boolean => {
    try {
      const now = statSync(root.path, statOptions);
      return now?.dev === device && now.ino === rootId;
    } catch {
      return false;
    }
  };

  const resolve = (path: string): Result<Cgroup, Refusal> => {
    const directory = root.path + path;
    if (!root.isCgroupFileSystem) {
      const link = findSymlink(root.path, path);
      if (link !== undefined) {
        return err({
          kind: "bad-request",
          message: `cgroupsPath ${path} passes through the symlink ${link}`,
        });
      }
    }
    try {
      const found = statSync(directory, statOptions);
      if (found === undefined || !found.isDirectory()) return err(missing(root, path));
      if (found.dev !== device) {
        return err({ kind: "bad-request", message: `cgroupsPath ${path} leads out of ${root.path}` });
      }
      return ok({ path, id: found.ino });
    } catch (error) {
      const message = `cgroup ${directory} cannot be read: ${describeError(error)}`;
      return err({ kind: "cgroup-unreadable", message });
    }
  };

  return {
    problem: () =>
      isIntact()
        ? ""
        : `${root.path} is not the cgroup hierarchy that the agent has started with: mount it there again, or start the agent again`,
    resolve,
    inspect({ path, id }) {
      try {
        const found = statSync(root.path + path, statOptions);
        if (found?.ino !== id) return isIntact() ? "gone" : "unreadable";
        return found.nlink === kernfsLinksWithoutChildren ? "leaf" : "parent";
      } catch {
        // Not readable just now is no proof of its end.
        return "unreadable";
      }
    },
    listNested({ path }) {
      try {
        return listNested(root.path, path);
      } catch {
        return undefined;
      }
    },
    findForeignBelow({ path }) {
      try {
        return listNested(root.path, path).cgroups.find((cgroup) => isForeign(basename(cgroup.path)))?.path;
      } catch {
        return undefined;
      }
    },
    isEmpty: ({ path }) => {
      try {
        return isEmptyCgroup(root.path + path) && isIntact();
      } catch {
        return false;
      }
    },
  };
}

/** The nearest first. Throws on what cannot be read. */
function listNested(root: string, path: string): FoundNested {
  const cgroups: Cgroup[] = [];
  const waiting = [path];
  let isComplete = true;
  for (const parent of waiting) {
    const links = lstatSync(root + parent, statOptions)?.nlink ?? 0n;
    if (links > maxListed) isComplete = false;
    if (links > maxListed || links === kernfsLinksWithoutChildren) continue;
    for (const name of listDirectories(root + parent)) {
      if (cgroups.length === maxNested) return { cgroups, isComplete: false };
      const child = `${parent}/${name}`;
      const found = lstatSync(root + child, statOptions);
      if (found === undefined) continue;
      cgroups.push({ path: child, id: found.ino });
      if (found.nlink !== kernfsLinksWithoutChildren) waiting.push(child);
    }
  }
  return { cgroups, isComplete };
}

/** Throws on what cannot be read. */
function isEmptyCgroup(directory: string): boolean {
  const found = statSync(directory, statOptions);
  if (found === undefined) return true;
  // Version 2 counts what is below, too.
  const events = readIfThere(`${directory}/cgroup.events`);
  if (events !== undefined) return /^populated 0$/m.test(events);
  const processes = readIfThere(`${directory}/cgroup.procs`);
  // Neither file: no cgroup file system, and no processes in it.
  return processes === undefined || (processes === "" && found.nlink === kernfsLinksWithoutChildren);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function findSymlink(root: string, path: string): string | undefined {
  let reached = root;
  for (const element of path.split("/").slice(1)) {
    reached += `/${element}`;
    try {
      if (lstatSync(reached).isSymbolicLink()) return reached;
    } catch {
      // Missing or unreadable: the stat that follows says so.
      return undefined;
    }
  }
  return undefined;
}

function missing(root: CgroupRoot, path: string): Refusal {
  const elements = path.split("/");
  const depth = elements.findIndex((_, at) => !existsSync(root.path + elements.slice(0, at + 1).join("/")));
  const first = elements.slice(0, depth + 1).join("/");
  const above = depth > 0 && first !== path ? `; ${first} is the first part that does not exist` : "";
  const v1 = root.v1Roots.filter((other) => existsSync(other + path));
  const hint = v1.length === 0 ? above : `; it exists in version 1 hierarchies only (${v1.join(", ")})`;
  return { kind: "cgroup-missing", message: `no cgroup ${path} below ${root.path}${hint}` };
}
