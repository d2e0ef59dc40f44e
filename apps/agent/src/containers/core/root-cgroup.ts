// SPDX-License-Identifier: Apache-2.0
// Which cgroup is the root of a container, by a report and by what is on record.

import type { Cgroup, ContainerContext } from "@rthooks/machines/pod";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { isContainerPath } from "../../cgroups/core/container-path.ts";

/** `nowMs`: Unix time in milliseconds. */
export function findRoot(
  { report, cgroup: recorded }: ContainerContext,
  resolver: CgroupResolver,
  nowMs: () => number,
): Result<Cgroup, Refusal> {
  const { containerId, cgroupsPath, answerByMs } = report;
  const found = resolver.resolve(cgroupsPath);
  if (!found.ok) {
    if (found.error.kind !== "cgroup-missing" || nowMs() < answerByMs) return found;
    const message =
      "the caller stopped waiting before the agent answered, and the container's cgroup is gone";
    return err({ kind: "too-late", message });
  }
  const isRecordedGone = (): boolean => recorded !== undefined && resolver.inspect(recorded) === "gone";
  const root = chooseRoot(recorded, found.value, isRecordedGone);
  if (root === undefined) {
    const message = `container ${containerId} has the cgroup ${recorded?.path}, which still exists: it is not in ${cgroupsPath}`;
    return err({ kind: "cgroup-conflict", message });
  }
  const isVerified = recorded?.id === root.id || isContainerPath(root.path);
  const foreign = isVerified ? undefined : resolver.findForeignBelow(root);
  if (foreign === undefined) return ok(root);
  const message = `cgroupsPath ${cgroupsPath} holds ${foreign}, which does not belong to container ${containerId}`;
  return err({ kind: "bad-request", message });
}

/** The root on record if the path is in it; undefined where findRoot has to decide. */
export function findRecordedRoot(
  recorded: Cgroup | undefined,
  cgroupsPath: string,
  resolver: CgroupResolver,
): Cgroup | undefined {
  if (recorded === undefined) return undefined;
  const found = resolver.resolve(cgroupsPath);
  return found.ok ? chooseRoot(recorded, found.value, () => false) : undefined;
}

/** Undefined for a cgroup elsewhere while the recorded one exists. */
export function chooseRoot(
  recorded: Cgroup | undefined,
  found: Cgroup,
  isRecordedGone: () => boolean,
): Cgroup | undefined {
  if (recorded === undefined || recorded.id === found.id) return found;
  // The container made a cgroup below its root and its process is there now.
  if (found.path.startsWith(`${recorded.path}/`)) return recorded;
  return isRecordedGone() ? found : undefined;
}
