// SPDX-License-Identifier: Apache-2.0
// The Kubernetes identity of a container, read from the annotation keys of the runtime that made it.
//
// Source of the keys: containerd internal/cri/annotations/annotations.go; cri-o internal/annotations and the
// labels that the kubelet puts on a container (pkg/kubelet/types/labels.go), which CRI-O copies over whatever
// the pod's annotations said.

import type { Pod } from "./pod-environment.ts";
import type { Runtime } from "./runtime.ts";
import type { Annotations } from "./spec.ts";

export interface Identity {
  readonly containerName: string;
  readonly containerId: string;
  readonly containerImage: string;
  readonly podName: string;
  readonly podUid: string;
  readonly podNamespace: string;
}

type Keys = Readonly<Record<keyof Identity, readonly string[]>>;

const containerdKeys: Keys = {
  containerName: ["io.kubernetes.cri.container-name"],
  containerId: [],
  containerImage: ["io.kubernetes.cri.image-name"],
  podName: ["io.kubernetes.cri.sandbox-name"],
  podUid: ["io.kubernetes.cri.sandbox-uid"],
  podNamespace: ["io.kubernetes.cri.sandbox-namespace"],
};

const crioKeys: Keys = {
  containerName: ["io.kubernetes.container.name"],
  containerId: ["io.kubernetes.cri-o.ContainerID"],
  containerImage: ["io.kubernetes.cri-o.ImageName"],
  podName: ["io.kubernetes.pod.name"],
  podUid: ["io.kubernetes.pod.uid"],
  podNamespace: ["io.kubernetes.pod.namespace"],
};

/** Where no CRI stands between a pod author and the spec, whoever ran the runtime wrote the annotations. */
const eitherKeys: Keys = {
  containerName: [...containerdKeys.containerName, ...crioKeys.containerName],
  containerId: [],
  containerImage: [...containerdKeys.containerImage, ...crioKeys.containerImage],
  podName: [...containerdKeys.podName, ...crioKeys.podName],
  podUid: [...containerdKeys.podUid, ...crioKeys.podUid],
  podNamespace: [...containerdKeys.podNamespace, ...crioKeys.podNamespace],
};

const keysOf: Readonly<Record<Runtime, Keys>> = {
  containerd: containerdKeys,
  "cri-o": crioKeys,
  podman: eitherKeys,
  unknown: eitherKeys,
};

export function readIdentity(
  runtime: Runtime,
  annotations: Annotations,
  stateId: string | undefined,
): Identity {
  const keys = keysOf[runtime];
  const first = (names: readonly string[]): string => {
    for (const name of names) {
      const value = annotations.get(name);
      if (value !== undefined && value !== "") return value;
    }
    return "";
  };
  return {
    containerName: first(keys.containerName),
    containerId: first(keys.containerId) || (stateId ?? ""),
    containerImage: first(keys.containerImage),
    podName: first(keys.podName),
    podUid: first(keys.podUid),
    podNamespace: first(keys.podNamespace),
  };
}

/** The annotations without the identity keys of the runtimes that did not make the container. */
export function withoutForeignIdentity(runtime: Runtime, annotations: Annotations): Annotations {
  const foreign = new Set(foreignKeys(runtime));
  return new Map([...annotations].filter(([key]) => !foreign.has(key)));
}

function foreignKeys(runtime: Runtime): readonly string[] {
  switch (runtime) {
    case "containerd":
      return Object.values(crioKeys).flat();
    case "cri-o":
      return Object.values(containerdKeys).flat();
    case "podman":
    case "unknown":
      return [];
  }
}

/** The annotations with the pod as NRI tells it, under every runtime's keys: what they said of it before is gone. */
export function withPod(annotations: Annotations, pod: Omit<Pod, "labels">): Annotations {
  const changed = new Map(annotations);
  for (const key of eitherKeys.podName) changed.set(key, pod.name);
  for (const key of eitherKeys.podUid) changed.set(key, pod.uid);
  for (const key of eitherKeys.podNamespace) changed.set(key, pod.namespace);
  return changed;
}
