// SPDX-License-Identifier: Apache-2.0
// The keys of pods: the UID where the first report had one, else the name.

import type { Pod } from "@rthooks/kube";
import type { ContainerReport, PodIdentity } from "@rthooks/machines/pod";

export interface PodKeys {
  /** Records the UID of a pod whose first report had none. */
  addUid(key: string, uid: string): void;
  forget(key: string): void;
  /** All keys that a pod of the pod source may have. */
  list(pod: Pod): Iterable<string>;
}

export function createPodKeys(): PodKeys {
  /** Keys of pods whose UID was learned after their first report, by UID. */
  const laterKeys = new Map<string, Set<string>>();
  return {
    addUid: (key, uid) => void laterKeys.set(uid, (laterKeys.get(uid) ?? new Set()).add(key)),
    forget(key) {
      for (const [uid, keys] of laterKeys) if (keys.delete(key) && keys.size === 0) laterKeys.delete(uid);
    },
    list: ({ uid, staticPodHash, namespace, name }) =>
      new Set([uid, staticPodHash ?? uid, toNameKey(namespace, name), ...(laterKeys.get(uid) ?? [])]),
  };
}

/** The UID where there is one. A container without a pod has a pod actor of its own. */
export function toPodKey({ podUid, podNamespace, podName, containerId }: ContainerReport): string {
  if (podUid !== undefined) return podUid;
  return podNamespace !== "" && podName !== ""
    ? toNameKey(podNamespace, podName)
    : `container:${containerId}`;
}

export const toNameKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/**
 * The relation of a pod of the pod source to a reported pod: the pod itself, the mirror of a static pod, or undefined for
 * another pod, which may have taken the name, or claims the static pod's hash.
 */
export function findRelation(
  { uid, namespace, name }: PodIdentity,
  pod: Pod,
): "itself" | "mirror" | undefined {
  if (uid === undefined || uid === pod.uid) return "itself";
  const isMirror = uid === pod.staticPodHash && namespace === pod.namespace && name === pod.name;
  return isMirror ? "mirror" : undefined;
}
