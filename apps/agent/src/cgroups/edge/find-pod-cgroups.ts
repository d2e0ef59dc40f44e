// SPDX-License-Identifier: Apache-2.0
// Finds the cgroups of pods' containers: below the pod's cgroup, whose name has the pod's UID
// (pkg/kubelet/cm/pod_container_manager_linux.go), each by its container id.

import { lstatSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { listDirectories } from "../../base/edge/list-directories.ts";
import { isContainerName, parseContainerElement } from "../core/container-path.ts";
import { parsePodElement } from "../core/pod-uid.ts";

export interface PodCgroup {
  readonly podUid: string;
  /** Below the root of the hierarchy. */
  readonly path: string;
}

/** Directories read without a pause: one costs some 10 µs, and hook calls wait meanwhile. */
const sliceSize = 50;
/** The depth of the kubelet's hierarchy, also inside of another node's (kind). */
const maxDepth = 8;

/**
 * `wanted`: container ids by pod UID. The result is by container id. Does not search below containers, nor below cgroups
 * with another owner than the hierarchy (delegated ones): their owner can create cgroups of any name.
 */
export async function findPodCgroups(
  root: string,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<ReadonlyMap<string, PodCgroup>> {
  const found = new Map<string, PodCgroup>();
  const owner = findOwner(root);
  const isDelegated = (path: string): boolean => findOwner(root + path) !== owner;
  const waiting: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  for (let done = 1; waiting.length > 0; done++) {
    const { path, depth } = waiting.pop() ?? { path: "", depth: maxDepth };
    for (const name of tryListDirectories(root + path)) {
      const podUid = parsePodElement(name);
      if (podUid !== undefined) {
        const containerIds = wanted.get(podUid);
        if (containerIds === undefined || isDelegated(`${path}/${name}`)) continue;
        for (const container of tryListDirectories(`${root}${path}/${name}`)) {
          const id = parseContainerElement(container);
          if (containerIds.has(id)) found.set(id, { podUid, path: `${path}/${name}/${container}` });
        }
      } else if (depth < maxDepth && !isContainerName(name) && !isDelegated(`${path}/${name}`)) {
        waiting.push({ path: `${path}/${name}`, depth: depth + 1 });
      }
    }
    if (done % sliceSize === 0) await nextTurn();
  }
  return found;
}

/** The UID of the owner; undefined where the directory is gone. */
const findOwner = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.uid;

/** Empty for an unreadable directory. */
function tryListDirectories(path: string): readonly string[] {
  try {
    return listDirectories(path);
  } catch {
    return [];
  }
}
