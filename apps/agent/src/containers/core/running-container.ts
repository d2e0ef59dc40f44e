// SPDX-License-Identifier: Apache-2.0
// Containers that were started without a hook call to this agent: they are older than it, or their runtime has no hook.

import type { Pod } from "@rthooks/kube";
import type { ContainerReport } from "@rthooks/machines/pod";
import { ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { findContainerPath } from "../../cgroups/core/container-path.ts";

type ListedFields =
  | "containerId"
  | "containerName"
  | "image"
  | "podNamespace"
  | "podName"
  | "podLabels"
  | "source";

/** The report of a container whose cgroup has not been found yet. */
export interface RunningContainer extends Pick<ContainerReport, ListedFields> {
  /** The UIDs by which the runtime may know its pod: a static pod has another one in the API. The API's is the last one. */
  readonly podUids: readonly string[];
}

export const listRunning = ({
  uid,
  staticPodHash,
  namespace,
  name,
  containers,
}: Pod): readonly RunningContainer[] =>
  containers.map((container) => ({
    containerId: container.id,
    containerName: container.name,
    image: container.image,
    podUids: staticPodHash === undefined ? [uid] : [staticPodHash, uid],
    podNamespace: namespace,
    podName: name,
    podLabels: undefined,
    source: "scan",
  }));

/** Refused where the path cannot be a container's cgroup. */
export function toContainerReport(
  { podUids, ...listed }: RunningContainer,
  podUid: string | undefined,
  cgroupsPath: string,
  seenAtNanos: bigint,
): Result<ContainerReport, Refusal> {
  const place = findContainerPath(cgroupsPath, listed.containerId);
  if (!place.ok) return place;
  return ok({
    ...listed,
    podUid,
    cgroupsPath: place.value,
    cgroup: undefined,
    answerByMs: Number.POSITIVE_INFINITY,
    seenAtNanos,
    arrivedMs: undefined,
  });
}
