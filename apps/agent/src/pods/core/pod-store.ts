// SPDX-License-Identifier: Apache-2.0
// The pods of the node as the last complete list had them.

import type { Pod } from "@rthooks/kube";
import { haveSameLabels } from "@rthooks/oci";
import type { PodChange, PodQuery, PodSource } from "./pod-source.ts";

export interface PodStore extends PodSource {
  /**
   * These are listed now, and no others but those that were asked for; tells the subscribers the difference. A pod that
   * the list lacks was not deleted by that: a list may be old, of a restored server, or written by hand. It is unknown
   * until it is listed or asked for again.
   */
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
  /** It was deleted. */
  remove(uid: string): void;
  /** It was here, and was deleted not long ago. */
  wasDeleted(uid: string): boolean;
}

/** As many as Tetragon remembers by default (--deleted-pod-cache-size). */
const maxDeleted = 1024;

/** Of as many pods again the last word is kept for when they come back or are deleted. */
function dropOldest(some: Set<string> | Map<string, Pod>): void {
  for (const oldest of some.keys()) {
    if (some.size <= maxDeleted) break;
    some.delete(oldest);
  }
}

const mirrorKey = ({ staticPodHash, namespace, name }: Omit<Pod, "uid" | "labels" | "containers">): string =>
  `${staticPodHash} ${namespace}/${name}`;

const nameKey = ({ namespace, name }: Pick<Pod, "namespace" | "name">): string => `${namespace}/${name}`;

export function createPodStore(): PodStore {
  const byUid = new Map<string, Pod>();
  /** By hash, namespace and name: an author of pods can write another pod's hash, but cannot take its name. */
  const byMirror = new Map<string, Pod>();
  const byName = new Map<string, Pod>();
  const ahead = new Set<string>();
  const deleted = new Set<string>();
  /** Missing from the last list, and not deleted as far as anybody said. */
  const unlisted = new Map<string, Pod>();
  const listeners = new Set<(change: PodChange) => void>();
  const tell = (change: PodChange): void => {
    for (const listener of listeners) listener(change);
  };

  const find = ({ uid, namespace, name }: PodQuery): Pod | undefined => {
    if (uid === undefined) {
      return namespace === "" || name === "" ? undefined : byName.get(nameKey({ namespace, name }));
    }
    return byUid.get(uid) ?? byMirror.get(mirrorKey({ staticPodHash: uid, namespace, name }));
  };

  const forget = (pod: Pod): void => {
    byUid.delete(pod.uid);
    // By now another pod may have what was its own.
    if (byName.get(nameKey(pod)) === pod) byName.delete(nameKey(pod));
    if (byMirror.get(mirrorKey(pod)) === pod) byMirror.delete(mirrorKey(pod));
  };

  const remove = (uid: string): void => {
    const pod = byUid.get(uid) ?? unlisted.get(uid);
    if (pod === undefined) return;
    ahead.delete(uid);
    unlisted.delete(uid);
    forget(pod);
    deleted.add(uid);
    dropOldest(deleted);
    tell({ kind: "deleted", pod });
  };

  const unlist = (pod: Pod): void => {
    forget(pod);
    unlisted.set(pod.uid, pod);
    dropOldest(unlisted);
    tell({ kind: "unlisted", pod });
  };

  const put = (pod: Pod): void => {
    const namesake = byName.get(nameKey(pod));
    const isOutdated = namesake !== undefined && namesake.uid !== pod.uid && ahead.has(namesake.uid);
    if (namesake !== undefined && namesake.uid !== pod.uid && !isOutdated) remove(namesake.uid);
    const old = byUid.get(pod.uid);
    if (old !== undefined) forget(old);
    byUid.set(pod.uid, pod);
    deleted.delete(pod.uid);
    unlisted.delete(pod.uid);
    if (!isOutdated) byName.set(nameKey(pod), pod);
    if (pod.staticPodHash !== undefined && !isOutdated) byMirror.set(mirrorKey(pod), pod);
    if (old === undefined || !isSamePod(old, pod)) tell({ kind: "changed", pod });
    else if (!haveSameContainers(old, pod)) tell({ kind: "containers", pod });
  };

  return {
    hasPods: true,
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
      for (const pod of [...byUid.values()]) if (!kept.has(pod.uid) && !ahead.has(pod.uid)) unlist(pod);
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
