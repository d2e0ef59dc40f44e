// SPDX-License-Identifier: Apache-2.0
// The pods of the node as the last complete list had them.

import type { Labels } from "@rthooks/machines/pod";
import type { Pod, PodChange, PodQuery, PodSource } from "./pod-source.ts";

export interface PodStore extends PodSource {
  /** Takes the list as the whole truth and tells the subscribers the difference. */
  replaceAll(pods: readonly Pod[]): void;
  /** One pod as it is now. Another of its name is gone then, whoever has told of that. */
  put(pod: Pod): void;
  remove(uid: string): void;
}

const nameKey = ({ namespace, name }: Pick<Pod, "namespace" | "name">): string => `${namespace}/${name}`;

export function createPodStore(): PodStore {
  const byUid = new Map<string, Pod>();
  const byHash = new Map<string, Pod>();
  const byName = new Map<string, Pod>();
  const listeners = new Set<(change: PodChange) => void>();
  const tell = (change: PodChange): void => {
    for (const listener of listeners) listener(change);
  };

  const find = ({ uid, namespace, name }: PodQuery): Pod | undefined => {
    if (uid === undefined) {
      return namespace === "" || name === "" ? undefined : byName.get(nameKey({ namespace, name }));
    }
    const pod = byUid.get(uid);
    if (pod !== undefined) return pod;
    // Anybody who may create pods may claim a hash, so the mirror must be the pod the hook named.
    const mirror = byHash.get(uid);
    return mirror?.namespace === namespace && mirror.name === name ? mirror : undefined;
  };

  const forget = (pod: Pod): void => {
    byUid.delete(pod.uid);
    // By now another pod may have what was its own.
    if (byName.get(nameKey(pod)) === pod) byName.delete(nameKey(pod));
    if (byHash.get(pod.staticPodHash ?? "") === pod) byHash.delete(pod.staticPodHash ?? "");
  };

  const remove = (uid: string): void => {
    const pod = byUid.get(uid);
    if (pod === undefined) return;
    forget(pod);
    tell({ kind: "deleted", pod });
  };

  const put = (pod: Pod): void => {
    const namesake = byName.get(nameKey(pod));
    if (namesake !== undefined && namesake.uid !== pod.uid) remove(namesake.uid);
    const old = byUid.get(pod.uid);
    if (old !== undefined) forget(old);
    byUid.set(pod.uid, pod);
    byName.set(nameKey(pod), pod);
    if (pod.staticPodHash !== undefined) byHash.set(pod.staticPodHash, pod);
    if (old === undefined || !isSamePod(old, pod)) tell({ kind: "changed", pod });
  };

  return {
    find,
    put,
    remove,
    replaceAll(pods) {
      const kept = new Set(pods.map(({ uid }) => uid));
      for (const uid of [...byUid.keys()]) if (!kept.has(uid)) remove(uid);
      for (const pod of pods) put(pod);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function isSamePod(a: Pod, b: Pod): boolean {
  return (
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.staticPodHash === b.staticPodHash &&
    haveSameLabels(a.labels, b.labels)
  );
}

function haveSameLabels(a: Labels, b: Labels): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
