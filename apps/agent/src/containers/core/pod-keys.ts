// SPDX-License-Identifier: Apache-2.0
// The keys under which the pods of hook calls are kept: a UID where the first call had one, else the name.

import type { Pod } from "@rthooks/kube";
import type { ContainerReport, PodIdentity } from "@rthooks/machines/pod";

export interface PodKeys {
  /** The pod with this key, which was made without a UID, has this one. */
  addUid(key: string, uid: string): void;
  forget(key: string): void;
  /** All that the pod of the source may have. */
  list(pod: Pod): Iterable<string>;
}

export function createPodKeys(): PodKeys {
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

/** A UID where there is one; a container without any pod is a pod of its own. */
export function toPodKey({ podUid, podNamespace, podName, containerId }: ContainerReport): string {
  if (podUid !== undefined) return podUid;
  return podNamespace !== "" && podName !== ""
    ? toNameKey(podNamespace, podName)
    : `container:${containerId}`;
}

export const toNameKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/**
 * What a pod of the source is to one that callers have named: itself, the mirror of a static pod, or undefined for another
 * one, which may have the same name by now, or only claims the static pod's hash.
 */
export function findRelation(
  { uid, namespace, name }: PodIdentity,
  pod: Pod,
): "itself" | "mirror" | undefined {
  if (uid === undefined || uid === pod.uid) return "itself";
  const isMirror = uid === pod.staticPodHash && namespace === pod.namespace && name === pod.name;
  return isMirror ? "mirror" : undefined;
}
