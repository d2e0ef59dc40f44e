// SPDX-License-Identifier: Apache-2.0
// The Kubernetes identity of a container, read from the annotation keys of the runtime that created it, which a pod's author
// cannot write (docs/adr/0007).
//
// Source of the keys: containerd internal/cri/annotations/annotations.go (containerd overwrites pod annotations of these
// keys); for CRI-O see crio-identity.ts.

import {
  findContradiction,
  type PodReference,
  podLabelKeys,
  readCrioContainerName,
  readCrioPod,
} from "./crio-identity.ts";
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

const containerdPodKeys = {
  name: "io.kubernetes.cri.sandbox-name",
  uid: "io.kubernetes.cri.sandbox-uid",
  namespace: "io.kubernetes.cri.sandbox-namespace",
} as const; // const: the keys are literals

const containerdContainerKeys = {
  name: "io.kubernetes.cri.container-name",
  image: "io.kubernetes.cri.image-name",
} as const; // const: likewise

const crioContainerKeys = {
  name: "io.kubernetes.container.name",
  image: "io.kubernetes.cri-o.ImageName",
} as const; // const: likewise

/** Pod and container in a runtime's annotations; fields are empty where the annotations lack them. */
interface Named {
  readonly pod: PodReference;
  readonly containerName: string;
  readonly containerImage: string;
}

function readNames(runtime: Runtime, annotations: Annotations): Named {
  switch (runtime) {
    case "containerd":
      return readContainerd(annotations);
    case "cri-o":
      return {
        pod: readCrioPod(annotations),
        containerName: readCrioContainerName(annotations),
        containerImage: annotations.get(crioContainerKeys.image) ?? "",
      };
    case "podman":
    case "unknown":
      return readEither(annotations);
  }
}

function readContainerd(annotations: Annotations): Named {
  const read = (key: string): string => annotations.get(key) ?? "";
  const pod = {
    name: read(containerdPodKeys.name),
    uid: read(containerdPodKeys.uid),
    namespace: read(containerdPodKeys.namespace),
  };
  // containerd sets neither key for a sandbox, so that such a key comes from the pod's author.
  if (read("io.kubernetes.cri.container-type") === "sandbox") {
    return { pod, containerName: "", containerImage: "" };
  }
  const { name, image } = containerdContainerKeys;
  return { pod, containerName: read(name), containerImage: read(image) };
}

/** Without a CRI runtime, the user of the runtime wrote the annotations: pod authors do not exist. */
function readEither(annotations: Annotations): Named {
  const first = (...keys: readonly string[]): string => {
    for (const key of keys) {
      const value = annotations.get(key);
      if (value !== undefined && value !== "") return value;
    }
    return "";
  };
  return {
    pod: {
      name: first(containerdPodKeys.name, podLabelKeys.name),
      uid: first(containerdPodKeys.uid, podLabelKeys.uid),
      namespace: first(containerdPodKeys.namespace, podLabelKeys.namespace),
    },
    containerName: first(containerdContainerKeys.name, crioContainerKeys.name),
    containerImage: first(containerdContainerKeys.image, crioContainerKeys.image),
  };
}

/** `stateId`: the id in the OCI state. Without a state, CRI-O's own annotation has the container's id. */
export function readIdentity(
  runtime: Runtime,
  annotations: Annotations,
  stateId: string | undefined,
): Identity {
  const { pod, containerName, containerImage } = readNames(runtime, annotations);
  const writtenId = runtime === "cri-o" ? annotations.get("io.kubernetes.cri-o.ContainerID") : undefined;
  return {
    containerName,
    containerId: stateId ?? writtenId ?? "",
    containerImage,
    podName: pod.name,
    podUid: pod.uid,
    podNamespace: pod.namespace,
  };
}

/** A sentence if the annotations name two pods, of which either may be the runtime's; else undefined. */
export const findContradictoryIdentity = (runtime: Runtime, annotations: Annotations): string | undefined =>
  runtime === "cri-o" ? findContradiction(annotations) : undefined;

/**
 * The annotations with the runtime's pod under the keys of every runtime, which replaces values of a pod's author.
 * Unchanged without a CRI runtime.
 */
export function withOwnIdentity(runtime: Runtime, annotations: Annotations): Annotations {
  if (runtime === "podman" || runtime === "unknown") return annotations;
  const { pod } = readNames(runtime, annotations);
  const foreign = runtime === "containerd" ? crioContainerKeys : containerdContainerKeys;
  const changed = new Map(withPod(annotations, pod));
  for (const key of Object.values(foreign)) changed.delete(key);
  return changed;
}

/** The annotations with this pod under the keys of every runtime; keys for empty values are removed. */
export function withPod(annotations: Annotations, pod: PodReference): Annotations {
  const changed = new Map(annotations);
  for (const keys of [containerdPodKeys, podLabelKeys]) {
    for (const part of ["name", "uid", "namespace"] as const) {
      if (pod[part] === "") changed.delete(keys[part]);
      else changed.set(keys[part], pod[part]);
    }
  }
  return changed;
}
