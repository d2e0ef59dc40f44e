// SPDX-License-Identifier: Apache-2.0
// The pod and the container's name as CRI-O itself writes them into a container's spec.
//
// Into a container's spec CRI-O writes the pod's annotations first, its own keys over them, and the annotations and
// labels of the container last; the kubelet sets those, no pod author (internal/factory/container/container.go,
// SpecAddAnnotations). The kubelet's labels are missing where another client made the container, and then a pod's
// annotation can stand under their keys.
//
// Into a sandbox's spec CRI-O writes its own keys first and the pod's annotations and labels over them, then the labels
// with the pod's name, namespace and UID (server/sandbox_run_linux.go). There an author can write SandboxName.

import type { Annotations } from "./spec.ts";

const SANDBOX_NAME = "io.kubernetes.cri-o.SandboxName";
const METADATA = "io.kubernetes.cri-o.Metadata";

/** The kubelet's labels (pkg/kubelet/types/labels.go), which CRI-O writes as annotations. */
export const podLabelKeys = {
  name: "io.kubernetes.pod.name",
  uid: "io.kubernetes.pod.uid",
  namespace: "io.kubernetes.pod.namespace",
} as const; // const: the keys are literals

export interface PodIdentity {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
}

/** Empty where CRI-O wrote nothing that can be read. */
export function readCrioPod(annotations: Annotations): PodIdentity {
  const text = annotations.get(SANDBOX_NAME);
  if (text !== undefined) return parseSandboxName(text) ?? { name: "", uid: "", namespace: "" };
  const label = (key: keyof PodIdentity): string => annotations.get(podLabelKeys[key]) ?? "";
  return { name: label("name"), uid: label("uid"), namespace: label("namespace") };
}

/**
 * One UID with two names or namespaces: in a sandbox's spec the SandboxName is the author's, in a container's the labels
 * are. Which of them it is cannot be told, so the error stands for both.
 */
export function findContradiction(annotations: Annotations): string | undefined {
  const own = readCrioPod(annotations);
  if (own.uid === "" || annotations.get(podLabelKeys.uid) !== own.uid) return undefined;
  for (const part of ["name", "namespace"] as const) {
    const key = podLabelKeys[part];
    const label = annotations.get(key);
    if (label !== undefined && label !== own[part]) {
      const names = `${SANDBOX_NAME} has ${JSON.stringify(own[part])} and ${key} ${JSON.stringify(label)}`;
      return `the annotations contradict each other: ${names}`;
    }
  }
  return undefined;
}

/**
 * `k8s_NAME_NAMESPACE_UID_ATTEMPT` (internal/lib/sandbox/builder.go, GenerateNameAndID). Five parts that are joined by
 * four underscores can be told apart exactly if none has an underscore in it, and then there are four in the text. Names
 * and namespaces of Kubernetes have none (RFC 1123); of other clients' pods, those with one get no identity.
 */
function parseSandboxName(text: string): PodIdentity | undefined {
  const [prefix, name, namespace, uid, attempt, ...more] = text.split("_");
  if (prefix !== "k8s" || attempt === undefined || !/^\d+$/.test(attempt) || more.length > 0)
    return undefined;
  return name && namespace && uid ? { name, namespace, uid } : undefined;
}

/**
 * Of the container's metadata, else the kubelet's label. Empty for a sandbox, whose metadata have the pod's name and
 * namespace: no runtime gives it a container's name, and so a label would be the pod author's.
 */
export function readCrioContainerName(annotations: Annotations): string {
  const text = annotations.get(METADATA);
  if (text === undefined) return annotations.get("io.kubernetes.container.name") ?? "";
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch {
    return "";
  }
  const { name, namespace }: Readonly<Record<string, unknown>> = Object(metadata);
  return typeof name === "string" && namespace === undefined ? name : "";
}
