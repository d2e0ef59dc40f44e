// SPDX-License-Identifier: Apache-2.0
// Which PodInfo objects have to be written: what pods ask for, compared with what the cluster has.

import type { ResourceChange } from "@rthooks/kube";
import { type PodInfo, toComparable } from "./pod-info.ts";
import type { SourcePod } from "./source-pod.ts";

/** A PodInfo in the cluster. */
export interface StoredInfo {
  readonly uid: string;
  readonly key: string;
  readonly resourceVersion: string;
  readonly comparable: string;
}

export interface PodInfoWrite {
  /** "namespace/name" */
  readonly key: string;
  readonly info: PodInfo;
  /** Of the object that is replaced; undefined to create one. */
  readonly resourceVersion: string | undefined;
}

export interface PodInfoPlan {
  changePods(change: ResourceChange<SourcePod>): void;
  changeInfos(change: ResourceChange<StoredInfo>): void;
  /** A write that has to be done; the caller ends it with `wrote` or `failed`. Undefined if there is none. */
  next(): PodInfoWrite | undefined;
  /** `stored`: the server's answer. */
  wrote(key: string, stored: StoredInfo | undefined): void;
  /** The write is not planned again until something changes, or until `retry`. */
  failed(key: string): void;
  retry(key: string): void;
  /** Pods with a PodInfo, there or planned. */
  count(): number;
}

export const toKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

export function createPodInfoPlan(): PodInfoPlan {
  const wanted = new Map<string, { readonly info: PodInfo; readonly comparable: string }>();
  const stored = new Map<string, StoredInfo>();
  const podKeys = new Map<string, string>();
  const infoKeys = new Map<string, string>();
  const dirty = new Set<string>();
  const busy = new Set<string>();
  /** Of the busy ones, those of which the watch has brought something since: the answer to the write may be older than that. */
  const overtaken = new Set<string>();
  const listed = { pods: false, infos: false };

  const putPod = ({ uid, info, ...pod }: SourcePod): void => {
    const key = toKey(pod);
    podKeys.set(uid, key);
    if (info === undefined) wanted.delete(key);
    else wanted.set(key, { info, comparable: toComparable(info) });
    dirty.add(key);
  };
  const putInfo = (info: StoredInfo): void => {
    infoKeys.set(info.uid, info.key);
    stored.set(info.key, info);
    dirty.add(info.key);
  };
  const noteWatched = (key: string): void => {
    dirty.add(key);
    if (busy.has(key)) overtaken.add(key);
  };

  return {
    changePods(change) {
      switch (change.kind) {
        case "all":
          listed.pods = true;
          wanted.clear();
          podKeys.clear();
          change.objects.forEach(putPod);
          break;
        case "put":
          putPod(change.object);
          break;
        case "deleted": {
          const key = podKeys.get(change.uid);
          podKeys.delete(change.uid);
          // Another pod may have the name already.
          if (key !== undefined && wanted.get(key)?.info.metadata.ownerReferences[0]?.uid === change.uid)
            wanted.delete(key);
        }
      }
    },
    changeInfos(change) {
      switch (change.kind) {
        case "all":
          listed.infos = true;
          stored.clear();
          infoKeys.clear();
          change.objects.forEach(putInfo);
          for (const key of wanted.keys()) noteWatched(key);
          break;
        case "put":
          putInfo(change.object);
          noteWatched(change.object.key);
          break;
        case "deleted": {
          const key = infoKeys.get(change.uid);
          infoKeys.delete(change.uid);
          if (key === undefined || stored.get(key)?.uid !== change.uid) break;
          stored.delete(key);
          noteWatched(key);
        }
      }
    },
    next() {
      if (!listed.pods || !listed.infos) return undefined;
      for (const key of dirty) {
        if (busy.has(key)) continue;
        dirty.delete(key);
        const want = wanted.get(key);
        const have = stored.get(key);
        if (want === undefined || want.comparable === have?.comparable) continue;
        busy.add(key);
        return { key, info: want.info, resourceVersion: have?.resourceVersion };
      }
      return undefined;
    },
    wrote(key, info) {
      busy.delete(key);
      if (!overtaken.delete(key) && info !== undefined) putInfo(info);
    },
    failed(key) {
      busy.delete(key);
      overtaken.delete(key);
    },
    retry: (key) => void dirty.add(key),
    count: () => wanted.size,
  };
}
