// SPDX-License-Identifier: Apache-2.0
// Log fields of containers and pods.

import type { LogFields } from "@rthooks/log";
import type { ContainerContext, PodIdentity } from "@rthooks/machines/pod";

export function toPodFields({ uid, namespace, name }: PodIdentity): LogFields {
  return { podUID: uid, namespace: namespace || undefined, pod: name || undefined };
}

export function toContainerFields({ report, pod, cgroup }: ContainerContext): LogFields {
  return {
    namespace: (pod?.namespace ?? report.podNamespace) || undefined,
    pod: (pod?.name ?? report.podName) || undefined,
    container: report.containerName || undefined,
    containerID: report.containerId,
    podUID: pod?.uid,
    identitySource: pod?.identitySource,
    cgroup: cgroup?.path ?? report.cgroupsPath,
    cgroupID: cgroup?.id,
  };
}
