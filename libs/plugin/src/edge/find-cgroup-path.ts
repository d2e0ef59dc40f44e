// SPDX-License-Identifier: Apache-2.0
// The cgroup of a created container, read from its first process. The cgroups_path in NRI is the one that the runtime
// requested from the OCI runtime, which may create another one (@rthooks/oci, locateCgroup).

import { readFileSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import type { NriContainer } from "@rthooks/nri";
import { describeCgroupsPathError, expandCgroupsPath, locateCgroup } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";

/** Absolute, below the cgroup root; the error is a sentence for the log. */
export type FindCgroupPath = (container: NriContainer) => Result<string, string>;

/** `procfs`: a procfs of the runtime's PID namespace. */
export function createFindCgroupPath(procfs: string, log: Logger): FindCgroupPath {
  let hasWarned = false;
  return (container) => {
    const requested = container.linux?.cgroupsPath ?? "";
    const text = readProcessCgroups(procfs, container);
    if (text === undefined) {
      const path = expandCgroupsPath(requested);
      return path.ok ? path : err(`the runtime's cgroups_path ${describeCgroupsPathError(path.error)}`);
    }
    const found = locateCgroup(requested, container.pid, {
      ofProcess: () => ok(text),
      // The lines contain the container's id, so that the process is not in the runtime's own cgroup.
      ofRuntime: () => ok(""),
    });
    if (!found.ok) return found;
    const { path, remark } = found.value;
    if (remark !== undefined && !hasWarned) {
      hasWarned = true;
      log.warn("the runtime's cgroups_path is not the container's cgroup; using the cgroup of its process", {
        containerID: container.id,
        err: remark,
        cgroup: path,
      });
    }
    return ok(upToContainer(path, container.id));
  };
}

/**
 * The lines of /proc/PID/cgroup with the container's id. Runtimes put the id into the cgroup's name, and a pod's author
 * cannot choose it; in hierarchies that they do not use, the process stays in the runtime's cgroup. Undefined without such
 * a line: `procfs` may be of another PID namespace, where the number is another process.
 */
function readProcessCgroups(procfs: string, { id, pid }: NriContainer): string | undefined {
  if (pid === 0 || id === "") return undefined;
  try {
    const lines = readFileSync(`${procfs}/${pid}/cgroup`, "utf8").split("\n");
    const named = lines.filter((line) => line.includes(id));
    return named.length === 0 ? undefined : named.join("\n");
  } catch {
    return undefined;
  }
}

/** The container's own cgroup: its process may have moved to a cgroup that it created below. */
function upToContainer(path: string, id: string): string {
  const elements = path.split("/");
  const at = elements.findIndex((element) => element.includes(id));
  return at === -1 ? path : elements.slice(0, at + 1).join("/");
}
