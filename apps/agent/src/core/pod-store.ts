// SPDX-License-Identifier: Apache-2.0
// The pods of the node as the last complete list had them.

import type { Labels } from "@rthooks/machines/pod";
import type { Pod, PodChange, PodQuery, PodSource } from "./pod-source.ts";

export interface PodStore extends PodSource {
  /** Takes the list as the whole truth and tells the subscribers the difference. */
  replaceAll(pods: readonly Pod[]): void;
}

const nameKey = (namespace: string, name: string): string => `${namespace}/${name}`;

export function createPodStore(): PodStore {
  let byUid: ReadonlyMap<string, Pod> = new Map();
  let byHash: ReadonlyMap<string, Pod> = new Map();
  let byName: ReadonlyMap<string, Pod> = new Map();
  const listeners = new Set<(change: PodChange) => void>();
  const tell = (change: PodChange): void => {
    for (const listener of listeners) listener(change);
  };

  const find = ({ uid, namespace, name }: PodQuery): Pod | undefined => {
    if (uid === undefined)
      return namespace === "" || name === "" ? undefined : byName.get(nameKey(namespace, name));
    const pod = byUid.get(uid);
    if (pod !== undefined) return pod;
    // Anybody who may create pods may claim a hash, so the mirror must be the pod the hook named.
    const mirror = byHash.get(uid);
    return mirror?.namespace === namespace && mirror.name === name ? mirror : undefined;
  };

  const replaceAll = (pods: readonly Pod[]): void => {
    const before = byUid;
    byUid = new Map(pods.map((pod) => [pod.uid, pod]));
    byHash = new Map(pods.flatMap((pod) => (pod.staticPodHash ? [[pod.staticPodHash, pod] as const] : [])));
    byName = new Map(pods.map((pod) => [nameKey(pod.namespace, pod.name), pod]));
    for (const pod of before.values()) {
      if (!byUid.has(pod.uid)) tell({ kind: "deleted", pod });
    }
    for (const pod of byUid.values()) {
      const old = before.get(pod.uid);
      if (old === undefined || !isSamePod(old, pod)) tell({ kind: "changed", pod });
    }
  };

  return {
    find,
    replaceAll,
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
