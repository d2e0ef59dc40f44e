// SPDX-License-Identifier: Apache-2.0
// The cgroup of a container: where the kernel has the container's process. The spec's `linux.cgroupsPath` is what was
// asked for, and a runtime may make another cgroup of it: `slice:prefix:name` without runc's --systemd-cgroup becomes a
// cgroup of just that name (runc libcontainer/cgroups/fs), and a relative path lies below the runtime's own cgroup.
//
// /proc/PID/cgroup has one line for each hierarchy, `ID:controllers:path` (cgroups(7)). The v2 hierarchy has ID 0 and no
// controllers. A path is relative to the root of the reader's cgroup namespace, and begins with `/..` where it lies
// outside of that (cgroup_namespaces(7)).

import { err, ok, type Result } from "@rthooks/result";
import { describeCgroupsPathError, expandCgroupsPath } from "./cgroups-path.ts";

/** Gives the text of a /proc/PID/cgroup: `undefined` when there is no such process; the error is for people. */
export interface ProcCgroupReader {
  ofProcess(pid: number): Result<string | undefined, string>;
  /** Of the runtime that makes the container. A process that is still there has no cgroup of its own. */
  ofRuntime(): Result<string, string>;
}

export interface CgroupLocation {
  /** Absolute, below the cgroup root, never the root itself. */
  readonly path: string;
  /** What is to be said when spec and kernel name different cgroups. */
  readonly remark: string | undefined;
}

/**
 * `specPath` is the spec's `linux.cgroupsPath` as written; `pid` is the container's process as the reader's /proc numbers
 * it. The kernel's answer comes first. The spec's path stands where the kernel has none: no such process, or one that
 * the runtime has not moved (yet). The error, without either, is for people.
 */
export function locateCgroup(
  specPath: string | undefined,
  pid: number | undefined,
  reader: ProcCgroupReader,
): Result<CgroupLocation, string> {
  const asked = specPath === undefined || specPath === "" ? undefined : expandCgroupsPath(specPath);
  const named = asked?.ok === true ? asked.value : undefined;
  const fallBack = (why: string, remark: string | undefined): Result<CgroupLocation, string> => {
    if (asked?.ok === true) return ok({ path: asked.value, remark });
    return asked === undefined
      ? err(`the spec has no linux.cgroupsPath, and ${why}`)
      : err(`linux.cgroupsPath ${describeCgroupsPathError(asked.error)}, and ${why}`);
  };
  if (pid === undefined) return fallBack("the OCI state on standard input has no pid", undefined);

  const ofProcess = reader.ofProcess(pid);
  if (!ofProcess.ok) return ofProcess;
  if (ofProcess.value === undefined) {
    const why = `/proc has no process ${pid}`;
    return fallBack(why, `${why}: linux.cgroupsPath is taken as it stands`);
  }
  if (named !== undefined && hasV2Path(ofProcess.value, named)) return ok({ path: named, remark: undefined });

  const ofRuntime = reader.ofRuntime();
  if (!ofRuntime.ok) return ofRuntime;
  const found = findOwnPath(parseProcCgroup(ofProcess.value), parseProcCgroup(ofRuntime.value), named);
  if (found === undefined) {
    const why = `process ${pid} is in the runtime's own cgroup: it has none of its own`;
    return fallBack(why, `${why}, linux.cgroupsPath is taken as it stands`);
  }
  // A process in a child of the spec's cgroup is in the spec's cgroup: crun makes such children.
  if (named !== undefined && (found === named || found.startsWith(`${named}/`))) {
    return ok({ path: named, remark: undefined });
  }
  const path = expandCgroupsPath(found);
  if (!path.ok) return err(`the cgroup of process ${pid} ${describeCgroupsPathError(path.error)}`);
  const remark = `linux.cgroupsPath ${JSON.stringify(specPath)} is not where the runtime put process ${pid}`;
  return ok({ path: path.value, remark: asked === undefined ? undefined : remark });
}

/** The key of the v2 hierarchy, whose line names no controllers. */
const V2 = "";

/** The hierarchies that count, the first one first: v2, then those of v1 that Tetragon looks at (pkg/cgroups). */
const hierarchies = [V2, "memory", "pids", "cpuset"] as const; // const: the order is the meaning

/** Nearly every container's case, in one search: a loop over the lines costs a start of the hook a compiled function. */
const hasV2Path = (text: string, path: string): boolean => `\n${text}`.includes(`\n0::${path}\n`);

/** By controller; the path may have colons. */
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

/** What the kernel puts behind the path of a cgroup that was removed; its last process is a zombie. */
const DELETED = " (deleted)";

/** The first path that is the process's own; `undefined` when it is where the runtime is in each hierarchy. */
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

/** `seen` begins with `/..`: only what follows the common ancestor is known. The cgroup, or a child of it. */
function isSeenAs(named: string, seen: string): boolean {
  const known = seen.replace(/^(\/\.\.)+(?=\/|$)/, "");
  for (let end = known.length; end > 0; end = known.lastIndexOf("/", end - 1)) {
    if (named.endsWith(known.slice(0, end))) return true;
  }
  return false;
}
