// SPDX-License-Identifier: Apache-2.0
// Locates the cgroup of a container by its process. The spec's `linux.cgroupsPath` is only the requested path, and a runtime
// may create another one: `slice:prefix:name` without runc's --systemd-cgroup becomes a cgroup of exactly that name (runc
// libcontainer/cgroups/fs), and a relative path is below the runtime's own cgroup.
//
// /proc/PID/cgroup has one line for each hierarchy, `ID:controllers:path` (cgroups(7)). The v2 hierarchy has ID 0 and no
// controllers. A path is relative to the root of the reader's cgroup namespace, and begins with `/..` if it is outside of
// that root (cgroup_namespaces(7)).

import { err, ok, type Result } from "@rthooks/result";
import { describeCgroupsPathError, expandCgroupsPath } from "./cgroups-path.ts";

/** Reads /proc/PID/cgroup: `undefined` if the process does not exist; the error is one line. */
export interface ProcCgroupReader {
  ofProcess(pid: number): Result<string | undefined, string>;
  /** Of the runtime's own process. A container's process in the same cgroup has not been moved to a cgroup of its own. */
  ofRuntime(): Result<string, string>;
}

export interface CgroupLocation {
  /** Absolute, below the cgroup root, never the root itself. */
  readonly path: string;
  /** A sentence for the log if spec and kernel name different cgroups. */
  readonly remark: string | undefined;
}

/**
 * `specPath`: the spec's `linux.cgroupsPath` as written. `pid`: the container's process in the PID namespace of the reader's
 * /proc. The kernel's path takes precedence. The spec's path is used if the process does not exist, or is still in the
 * runtime's cgroup. The error, if neither gives a path, is one line.
 */
export function locateCgroup(
  specPath: string | undefined,
  pid: number | undefined,
  reader: ProcCgroupReader,
): Result<CgroupLocation, string> {
  const requested = specPath === undefined || specPath === "" ? undefined : expandCgroupsPath(specPath);
  const named = requested?.ok === true ? requested.value : undefined;
  const fallBack = (why: string, remark: string | undefined): Result<CgroupLocation, string> => {
    if (requested?.ok === true) return ok({ path: requested.value, remark });
    return requested === undefined
      ? err(`the spec has no linux.cgroupsPath, and ${why}`)
      : err(`linux.cgroupsPath ${describeCgroupsPathError(requested.error)}, and ${why}`);
  };
  if (pid === undefined) return fallBack("the OCI state on standard input has no pid", undefined);

  const ofProcess = reader.ofProcess(pid);
  if (!ofProcess.ok) return ofProcess;
  if (ofProcess.value === undefined) {
    const why = `/proc has no process ${pid}`;
    return fallBack(why, `${why}: using linux.cgroupsPath`);
  }
  if (named !== undefined && hasV2Path(ofProcess.value, named)) return ok({ path: named, remark: undefined });

  const ofRuntime = reader.ofRuntime();
  if (!ofRuntime.ok) return ofRuntime;
  const found = findOwnPath(parseProcCgroup(ofProcess.value), parseProcCgroup(ofRuntime.value), named);
  if (found === undefined) {
    const why = `process ${pid} has no cgroup of its own`;
    return fallBack(why, `${why}: using linux.cgroupsPath`);
  }
  // A process in a child of the spec's cgroup counts as in the spec's cgroup: crun creates such children.
  if (named !== undefined && (found === named || found.startsWith(`${named}/`))) {
    return ok({ path: named, remark: undefined });
  }
  const path = expandCgroupsPath(found);
  if (!path.ok) return err(`the cgroup of process ${pid} ${describeCgroupsPathError(path.error)}`);
  const remark = `linux.cgroupsPath ${JSON.stringify(specPath)} is not the cgroup of process ${pid}`;
  return ok({ path: path.value, remark: requested === undefined ? undefined : remark });
}

/** The key of the v2 hierarchy, whose line names no controllers. */
const V2 = "";

/** The hierarchies in order of precedence: v2, then the v1 controllers that Tetragon uses (pkg/cgroups). */
const hierarchies = [V2, "memory", "pids", "cpuset"] as const; // const: the order is the meaning

/** The usual case in one search, since a loop over the lines would take the hook longer. */
const hasV2Path = (text: string, path: string): boolean => `\n${text}`.includes(`\n0::${path}\n`);

/** Paths by controller; a path may contain colons. */
function parseProcCgroup(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (first === -1 || second === -1) continue;
    const path = line.slice(second + 1);
    for (const controller of line.slice(first + 1, second).split(",")) paths.set(controller, path);
  }
  return paths;
}

/** The kernel's suffix for the path of a removed cgroup, whose last process is a zombie. */
const DELETED = " (deleted)";

/** The first path that differs from the runtime's; `undefined` if all hierarchies agree. */
function findOwnPath(
  ofProcess: ReadonlyMap<string, string>,
  ofRuntime: ReadonlyMap<string, string>,
  named: string | undefined,
): string | undefined {
  for (const hierarchy of hierarchies) {
    const path = ofProcess.get(hierarchy);
    if (path === undefined || path === "/" || path === ofRuntime.get(hierarchy)) continue;
    if (!path.startsWith("/") || path.endsWith(DELETED)) continue;
    if (!path.startsWith("/..")) return path;
    if (named !== undefined && isSeenAs(named, path)) return named;
  }
  return undefined;
}

/** Whether `seen`, which begins with `/..` and is known only below a common ancestor, can be the named cgroup or its child. */
function isSeenAs(named: string, seen: string): boolean {
  const known = seen.replace(/^(\/\.\.)+(?=\/|$)/, "");
  for (let end = known.length; end > 0; end = known.lastIndexOf("/", end - 1)) {
    if (named.endsWith(known.slice(0, end))) return true;
  }
  return false;
}
