// SPDX-License-Identifier: Apache-2.0
// The cgroup of a container that the runtime has made: where the kernel has its process. The path that the runtime tells
// is what it asked the OCI runtime for, which may make another one of it (@rthooks/oci, locateCgroup).

import { readFileSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeCgroupsPathError, expandCgroupsPath, locateCgroup } from "@rthooks/oci";
import type { Container } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";

/** Absolute, below the cgroup root; the error is for people. */
export type FindCgroupPath = (container: Container) => Result<string, string>;

/** `procfs`: where the host's processes are, with the numbers that the runtime knows them by. */
export function createFindCgroupPath(procfs: string, log: Logger): FindCgroupPath {
  let hasRemarked = false;
  return (container) => {
    const asked = container.linux?.cgroupsPath ?? "";
    const text = readProcessCgroups(procfs, container);
    if (text === undefined) {
      const path = expandCgroupsPath(asked);
      return path.ok ? path : err(`the runtime's cgroups_path ${describeCgroupsPathError(path.error)}`);
    }
    const found = locateCgroup(asked, container.pid, {
      ofProcess: () => ok(text),
      // What was read names the container: the process is in no other's cgroup.
      ofRuntime: () => ok(""),
    });
    if (!found.ok) return found;
    const { path, remark } = found.value;
    if (remark !== undefined && !hasRemarked) {
      hasRemarked = true;
      log.warn("the runtime's cgroups_path is not where containers are: the kernel's answer is taken", {
        id: container.id,
        err: remark,
        path,
      });
    }
    return ok(upToContainer(path, container.id));
  };
}

/**
 * The lines that name the container: runtimes name its cgroup for its id, which no author of a pod can choose, and leave
 * it where they are themselves in the hierarchies that they do not use. Undefined without any: in a process namespace of
 * the plugin's own another process has the number.
 */
function readProcessCgroups(procfs: string, { id, pid }: Container): string | undefined {
  if (pid === 0 || id === "") return undefined;
  try {
    const lines = readFileSync(`${procfs}/${pid}/cgroup`, "utf8").split("\n");
    const named = lines.filter((line) => line.includes(id));
    return named.length === 0 ? undefined : named.join("\n");
  } catch {
    return undefined;
  }
}

/** A container's process may have moved to a cgroup that it made below the container's. */
function upToContainer(path: string, id: string): string {
  const elements = path.split("/");
  const at = elements.findIndex((element) => element.includes(id));
  return at === -1 ? path : elements.slice(0, at + 1).join("/");
}
