// SPDX-License-Identifier: Apache-2.0
// Reads the pod and the container's name that CRI-O itself writes into a spec.
//
// In a container's spec CRI-O writes the pod's annotations first, then its own keys over them, then the container's
// annotations and labels, which the kubelet sets and a pod's author cannot (internal/factory/container/container.go,
// SpecAddAnnotations). If a client other than the kubelet created the container, the kubelet's labels are missing, and a
// pod's annotation can take their keys.
//
// In a sandbox's spec CRI-O writes its own keys first, then the pod's annotations and labels over them, then the labels with
// the pod's name, namespace and UID (server/sandbox_run_linux.go). There a pod's author can overwrite SandboxName.

import { parseJsonObject } from "@rthooks/result";
import type { Annotations } from "./spec.ts";

const SANDBOX_NAME = "io.kubernetes.cri-o.SandboxName";
const METADATA = "io.kubernetes.cri-o.Metadata";

/** The kubelet's labels (pkg/kubelet/types/labels.go), which CRI-O writes as annotations. */
export const podLabelKeys = {
  name: "io.kubernetes.pod.name",
  uid: "io.kubernetes.pod.uid",
  namespace: "io.kubernetes.pod.namespace",
} as const; // const: the keys are literals

/** Which pod. Empty strings where that is not known. */
export interface PodReference {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
}

/** Fields are empty if CRI-O's keys are missing or invalid. */
export function readCrioPod(annotations: Annotations): PodReference {
  const text = annotations.get(SANDBOX_NAME);
  if (text !== undefined) return parseSandboxName(text) ?? { name: "", uid: "", namespace: "" };
  const label = (key: keyof PodReference): string => annotations.get(podLabelKeys[key]) ?? "";
  return { name: label("name"), uid: label("uid"), namespace: label("namespace") };
}

/**
 * Finds two names or namespaces for one UID. In a sandbox's spec a pod's author wrote the SandboxName, in a container's spec
 * the labels. The annotations do not show which case it is, so that both are errors.
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
 * Parses `k8s_NAME_NAMESPACE_UID_ATTEMPT` (internal/lib/sandbox/builder.go, GenerateNameAndID). The five parts are unambiguous
 * if no part has an underscore. Kubernetes names and namespaces have none (RFC 1123); a pod of another client with an
 * underscore gets no identity.
 */
function parseSandboxName(text: string): PodReference | undefined {
  const [prefix, name, namespace, uid, attempt, ...more] = text.split("_");
  if (prefix !== "k8s" || attempt === undefined || !/^\d+$/.test(attempt) || more.length > 0)
    return undefined;
  return name && namespace && uid ? { name, namespace, uid } : undefined;
}

/**
 * The container's name in CRI-O's metadata, else the kubelet's label. Empty for a sandbox, whose metadata have the pod's name
 * and namespace: a container name in its labels would come from the pod's author.
 */
export function readCrioContainerName(annotations: Annotations): string {
  const text = annotations.get(METADATA);
  if (text === undefined) return annotations.get("io.kubernetes.container.name") ?? "";
  const metadata = parseJsonObject(text);
  if (!metadata.ok) return "";
  const { name, namespace } = metadata.value;
  return typeof name === "string" && namespace === undefined ? name : "";
}
