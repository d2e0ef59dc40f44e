// SPDX-License-Identifier: Apache-2.0
// Containers that run although nobody has held them for the agent: they are older than it, or came by a runtime without
// a hook.

import type { ContainerReport, Labels } from "@rthooks/machines/pod";
import { ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { findContainerPlace } from "../../cgroups/core/container-place.ts";
import type { Pod } from "../../pods/core/pod-source.ts";
import type { HookCall } from "./hook-call.ts";

export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Names by which the runtime may know its pod: a static pod has another one in the API. */
  readonly podUids: readonly string[];
  readonly podNamespace: string;
  readonly podName: string;
  /** Undefined where whoever tells of it leaves them to the pod source. */
  readonly podLabels: Labels | undefined;
  readonly source: Extract<ContainerReport["source"], "cri" | "scan">;
}

export const listRunning = ({
  uid,
  staticPodHash,
  namespace,
  name,
  containers,
}: Pod): readonly RunningContainer[] =>
  containers.map((container) => ({
    ...container,
    podUids: staticPodHash === undefined ? [uid] : [staticPodHash, uid],
    podNamespace: namespace,
    podName: name,
    podLabels: undefined,
    source: "scan",
  }));

/** As if it had been held at its start. Refused where the path is no container's. */
export function toHookCall(
  container: RunningContainer,
  podUid: string | undefined,
  cgroupsPath: string,
  seenAtNanos: bigint,
): Result<HookCall, Refusal> {
  const place = findContainerPlace(cgroupsPath, container.id);
  if (!place.ok) return place;
  const { id: containerId, name: containerName, image, podNamespace, podName, podLabels, source } = container;
  return ok({
    podUid,
    disbelieved: undefined,
    report: {
      ...{ containerId, containerName, image, podNamespace, podName, podLabels, source },
      cgroupsPath: place.value,
      cgroup: undefined,
      answerByMs: Number.POSITIVE_INFINITY,
      seenAtNanos,
    },
  });
}
