// SPDX-License-Identifier: Apache-2.0
// The pods of the node, as the last complete list and the changes since then give them.

import type { Pod, PodContainer } from "@rthooks/kube";
import { haveSameLabels } from "@rthooks/oci";
import type { PodChange, PodQuery, PodSource } from "./pod-source.ts";

export interface PodStore extends PodSource {
  /**
   * Replaces the pods with those of a complete list, except fetched pods that the watch has not reported yet, and notifies
   * the subscribers of the differences. A pod that the list lacks counts as unlisted, not as deleted: a list may be old, of
   * a restored server, or written by hand. It is unknown until it is listed or fetched again.
   */
  replaceAll(pods: readonly Pod[]): void;
  /** Sets one pod. Another pod of the same name is deleted by that. */
  put(pod: Pod): void;
  /**
   * Sets a pod that was fetched by its name. The watch may be behind: what it reports of older pods of the name does not
   * change this one.
   */
  putFetched(pod: Pod): void;
  /** Whether the pod was fetched and the watch has not reported it yet. */
  isAheadOfWatch(uid: string): boolean;
  /** The pod was deleted. */
  remove(uid: string): void;
  /** Whether the pod is one of the last that were deleted. */
  wasDeleted(uid: string): boolean;
}

/** Tetragon's default of --deleted-pod-cache-size; it bounds the deleted and the unlisted pods separately. */
const MAX_KEPT = 1024;

function dropOldest(kept: Set<string> | Map<string, Pod>): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
}

const mirrorKey = ({
  staticPodHash,
  namespace,
  name,
}: Pick<Pod, "staticPodHash" | "namespace" | "name">): string => `${staticPodHash} ${namespace}/${name}`;

const nameKey = ({ namespace, name }: Pick<Pod, "namespace" | "name">): string => `${namespace}/${name}`;

export function createPodStore(): PodStore {
  const byUid = new Map<string, Pod>();
  /** By hash, namespace and name: a pod's author can write another pod's hash, but cannot take its name. */
  const byMirror = new Map<string, Pod>();
  const byName = new Map<string, Pod>();
  /** UIDs of fetched pods that the watch has not reported yet. */
  const aheadOfWatch = new Set<string>();
  const deleted = new Set<string>();
  /** Missing in the last list, and not reported as deleted. */
  const unlisted = new Map<string, Pod>();
  const listeners = new Set<(change: PodChange) => void>();
  const notify = (change: PodChange): void => {
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
    // Another pod may have taken the name or the hash.
    if (byName.get(nameKey(pod)) === pod) byName.delete(nameKey(pod));
    if (byMirror.get(mirrorKey(pod)) === pod) byMirror.delete(mirrorKey(pod));
  };

  const remove = (uid: string): void => {
    const pod = byUid.get(uid) ?? unlisted.get(uid);
    if (pod === undefined) return;
    aheadOfWatch.delete(uid);
    unlisted.delete(uid);
    forget(pod);
    deleted.add(uid);
    dropOldest(deleted);
    notify({ kind: "deleted", pod });
  };

  const unlist = (pod: Pod): void => {
    forget(pod);
    unlisted.set(pod.uid, pod);
    dropOldest(unlisted);
    notify({ kind: "unlisted", pod });
  };

  const put = (pod: Pod): void => {
    const namesake = byName.get(nameKey(pod));
    const isOutdated = namesake !== undefined && namesake.uid !== pod.uid && aheadOfWatch.has(namesake.uid);
    if (namesake !== undefined && namesake.uid !== pod.uid && !isOutdated) remove(namesake.uid);
    const old = byUid.get(pod.uid);
    if (old !== undefined) forget(old);
    byUid.set(pod.uid, pod);
    deleted.delete(pod.uid);
    unlisted.delete(pod.uid);
    if (!isOutdated) byName.set(nameKey(pod), pod);
    if (pod.staticPodHash !== undefined && !isOutdated) byMirror.set(mirrorKey(pod), pod);
    if (old === undefined || !isSamePod(old, pod)) notify({ kind: "changed", pod });
    else if (!haveSameDetails(old, pod)) notify({ kind: "containers", pod });
  };

  return {
    hasPods: true,
    find,
    list: () => byUid.values(),
    put(pod) {
      aheadOfWatch.delete(pod.uid);
      put(pod);
    },
    putFetched(pod) {
      const namesake = byName.get(nameKey(pod));
      if (namesake !== undefined) aheadOfWatch.delete(namesake.uid);
      if (!byUid.has(pod.uid)) aheadOfWatch.add(pod.uid);
      put(pod);
    },
    isAheadOfWatch: (uid) => aheadOfWatch.has(uid),
    remove,
    wasDeleted: (uid) => deleted.has(uid),
    replaceAll(pods) {
      const kept = new Set(pods.map(({ uid }) => uid));
      for (const uid of kept) aheadOfWatch.delete(uid);
      for (const pod of [...byUid.values()])
        if (!kept.has(pod.uid) && !aheadOfWatch.has(pod.uid)) unlist(pod);
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

const haveSameDetails = (a: Pod, b: Pod): boolean =>
  a.workload.name === b.workload.name &&
  a.workload.kind === b.workload.kind &&
  a.containers.length === b.containers.length &&
  a.containers.every((container, at) => isSameContainer(container, b.containers[at]));

const isSameContainer = (a: PodContainer, b: PodContainer | undefined): boolean =>
  a.id === b?.id && a.imageId === b.imageId && a.startedMs === b.startedMs;
