// SPDX-License-Identifier: Apache-2.0
// Containers that run although nobody has held them for the agent: they are older than it, or came by a runtime without
// a hook.

import type { Announcement, Labels } from "@rthooks/machines/pod";
import type { HookCall } from "./announcement.ts";
import type { Pod } from "./pod-source.ts";

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
  readonly learnedBy: Extract<Announcement["learnedBy"], "cri" | "scan">;
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
    learnedBy: "scan",
  }));

/** As if it had been held at its start. */
export const toHookCall = (
  container: RunningContainer,
  podUid: string | undefined,
  cgroupsPath: string,
  seenAtNanos: bigint,
): HookCall => ({
  podUid,
  disbelieved: undefined,
  announcement: {
    containerId: container.id,
    containerName: container.name,
    image: container.image,
    podNamespace: container.podNamespace,
    podName: container.podName,
    podLabels: container.podLabels,
    learnedBy: container.learnedBy,
    cgroupsPath,
    cgroup: undefined,
    seenAtNanos,
  },
});
