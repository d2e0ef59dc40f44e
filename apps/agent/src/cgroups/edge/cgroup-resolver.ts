// SPDX-License-Identifier: Apache-2.0
// Cgroup ids from the mounted hierarchy. The id of a cgroup is the inode number of its directory (kernfs; the number that
// bpf_get_current_cgroup_id() returns for the v2 hierarchy), so one stat finds it.

import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { Cgroup } from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { isMissing } from "@rthooks/sys/is-missing";
import type { Refusal } from "../../base/core/refusal.ts";
import { listDirectories } from "../../base/edge/list-directories.ts";
import type { CgroupResolver } from "../core/cgroup-resolver.ts";
import { isForeign } from "../core/container-path.ts";
import type { CgroupRoot } from "./find-cgroup-root.ts";

const kernfsLinksWithoutChildren = 2n;
/** A directory with more links is not listed: listing blocks the event loop, and hook calls wait meanwhile. */
const maxListed = 4096n;
/** Cgroups that are looked at below one, for the same reason. */
const maxSearched = 1024;

const statOptions = { bigint: true, throwIfNoEntry: false } as const; // const: the overload with bigints

export function createCgroupResolver(root: CgroupRoot): CgroupResolver {
  const { dev: device, ino: rootId } = statSync(root.path, { bigint: true });
  /** False where the root was unmounted, or another file system was mounted over it. */
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
        return err({ kind: "bad-request", message: `cgroupsPath ${path} is outside of ${root.path}` });
      }
      return ok({ path, id: found.ino });
    } catch (error) {
      const message = `cannot read cgroup ${directory}: ${describeError(error)}`;
      return err({ kind: "cgroup-unreadable", message });
    }
  };

  return {
    problem: () =>
      isIntact()
        ? ""
        : `${root.path} is not the cgroup hierarchy that the agent started with: mount it there again, or restart the agent`,
    resolve,
    inspect({ path, id }) {
      try {
        const found = statSync(root.path + path, statOptions);
        if (found?.ino !== id) return isIntact() ? "gone" : "unreadable";
        return "exists";
      } catch {
        // A failed read does not mean that the cgroup is gone.
        return "unreadable";
      }
    },
    findForeignBelow({ path }) {
      try {
        return listBelow(root.path, path).find((below) => isForeign(basename(below)));
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

/** The nearest first. Throws where a directory cannot be read. */
function listBelow(root: string, path: string): readonly string[] {
  const paths: string[] = [];
  const waiting = [path];
  for (const parent of waiting) {
    const links = lstatSync(root + parent, statOptions)?.nlink ?? 0n;
    if (links > maxListed || links === kernfsLinksWithoutChildren) continue;
    for (const name of listDirectories(root + parent)) {
      if (paths.length === maxSearched) return paths;
      const child = `${parent}/${name}`;
      paths.push(child);
      waiting.push(child);
    }
  }
  return paths;
}

/** Throws where the cgroup cannot be read. */
function isEmptyCgroup(directory: string): boolean {
  const found = statSync(directory, statOptions);
  if (found === undefined) return true;
  // Version 2: includes the cgroups below.
  const events = readIfExists(`${directory}/cgroup.events`);
  if (events !== undefined) return /^populated 0$/m.test(events);
  const processes = readIfExists(`${directory}/cgroup.procs`);
  // Neither file: not a cgroup file system, so without processes.
  return processes === undefined || (processes === "" && found.nlink === kernfsLinksWithoutChildren);
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
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
      // Missing or unreadable: the caller's stat fails on it.
      return undefined;
    }
  }
  return undefined;
}

function missing(root: CgroupRoot, path: string): Refusal {
  const elements = path.split("/");
  const depth = elements.findIndex((_, at) => !existsSync(root.path + elements.slice(0, at + 1).join("/")));
  const first = elements.slice(0, depth + 1).join("/");
  const above = depth > 0 && first !== path ? `; ${first} is the first element that does not exist` : "";
  const v1 = root.v1Roots.filter((other) => existsSync(other + path));
  const hint = v1.length === 0 ? above : `; it exists in version 1 hierarchies only (${v1.join(", ")})`;
  return { kind: "cgroup-missing", message: `no cgroup ${path} below ${root.path}${hint}` };
}
