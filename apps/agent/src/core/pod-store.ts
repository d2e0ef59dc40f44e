// SPDX-License-Identifier: Apache-2.0
// The pods of the node as the last complete list had them.

import { haveSameLabels } from "@rthooks/machines/pod";
import type { Pod, PodChange, PodQuery, PodSource } from "./pod-source.ts";

export interface PodStore extends PodSource {
  /** Takes the list as the whole truth, but for pods that were asked for, and tells the subscribers the difference. */
  replaceAll(pods: readonly Pod[]): void;
  /** One pod as it is now. Another of its name is gone then, whoever has told of that. */
  put(pod: Pod): void;
  /**
   * The same for a pod that was asked for by name: whoever tells of changes may be behind, and what is told of older ones
   * then takes nothing from it.
   */
  putAsked(pod: Pod): void;
  /** Whether nobody but the one who asked has told of it. */
  isAhead(uid: string): boolean;
  remove(uid: string): void;
  /** It was here, and was deleted not long ago. */
  wasDeleted(uid: string): boolean;
}

/** As many as Tetragon remembers by default (--deleted-pod-cache-size). */
const maxDeleted = 1024;

const nameKey = ({ namespace, name }: Pick<Pod, "namespace" | "name">): string => `${namespace}/${name}`;

export function createPodStore(): PodStore {
  const byUid = new Map<string, Pod>();
  const byHash = new Map<string, Pod>();
  const byName = new Map<string, Pod>();
  const ahead = new Set<string>();
  const deleted = new Set<string>();
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
    ahead.delete(uid);
    forget(pod);
    deleted.add(uid);
    for (const oldest of deleted) {
      if (deleted.size <= maxDeleted) break;
      deleted.delete(oldest);
    }
    tell({ kind: "deleted", pod });
  };

  const put = (pod: Pod): void => {
    const namesake = byName.get(nameKey(pod));
    const isOutdated = namesake !== undefined && namesake.uid !== pod.uid && ahead.has(namesake.uid);
    if (namesake !== undefined && namesake.uid !== pod.uid && !isOutdated) remove(namesake.uid);
    const old = byUid.get(pod.uid);
    if (old !== undefined) forget(old);
    byUid.set(pod.uid, pod);
    deleted.delete(pod.uid);
    if (!isOutdated) byName.set(nameKey(pod), pod);
    if (pod.staticPodHash !== undefined && !isOutdated) byHash.set(pod.staticPodHash, pod);
    if (old === undefined || !isSamePod(old, pod)) tell({ kind: "changed", pod });
    else if (!haveSameContainers(old, pod)) tell({ kind: "containers", pod });
  };

  return {
    find,
    list: () => byUid.values(),
    put(pod) {
      ahead.delete(pod.uid);
      put(pod);
    },
    putAsked(pod) {
      const namesake = byName.get(nameKey(pod));
      if (namesake !== undefined) ahead.delete(namesake.uid);
      if (!byUid.has(pod.uid)) ahead.add(pod.uid);
      put(pod);
    },
    isAhead: (uid) => ahead.has(uid),
    remove,
    wasDeleted: (uid) => deleted.has(uid),
    replaceAll(pods) {
      const kept = new Set(pods.map(({ uid }) => uid));
      for (const uid of kept) ahead.delete(uid);
      for (const uid of [...byUid.keys()]) if (!kept.has(uid) && !ahead.has(uid)) remove(uid);
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

function haveSameContainers(a: Pod, b: Pod): boolean {
  return (
    a.containers.length === b.containers.length &&
    a.containers.every(({ id }, at) => b.containers[at]?.id === id)
  );
}
