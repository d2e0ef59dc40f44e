// SPDX-License-Identifier: Apache-2.0
// Where the runtime has put the containers of pods: below the pod's own cgroup, which the kubelet names by its UID
// (pkg/kubelet/cm/pod_container_manager_linux.go), each under its id.

import { lstatSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { listDirectories } from "../../base/edge/list-directories.ts";
import { isContainerName, parseContainerElement } from "../core/container-place.ts";
import { parsePodElement } from "../core/pod-uid.ts";

export interface PodCgroup {
  readonly podUid: string;
  /** Below the root. */
  readonly path: string;
}

/** Directories in one go: reading one costs some 10 µs, and hook calls wait meanwhile. */
const sliceSize = 50;
/** As deep as the kubelet's own hierarchy goes, inside of another's (kind) too. */
const maxDepth = 8;

/**
 * By container id, for the containers of the pods that are asked for. What lies below a container is never looked at, nor
 * below a cgroup that was handed to somebody else than the hierarchy's owner: they may make cgroups of any name there.
 */
export async function findPodCgroups(
  root: string,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<ReadonlyMap<string, PodCgroup>> {
  const found = new Map<string, PodCgroup>();
  const owner = findOwner(root);
  const isHandedOver = (path: string): boolean => findOwner(root + path) !== owner;
  const waiting: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  for (let done = 1; waiting.length > 0; done++) {
    const { path, depth } = waiting.pop() ?? { path: "", depth: maxDepth };
    for (const name of tryListDirectories(root + path)) {
      const podUid = parsePodElement(name);
      if (podUid !== undefined) {
        const containerIds = wanted.get(podUid);
        if (containerIds === undefined || isHandedOver(`${path}/${name}`)) continue;
        for (const container of tryListDirectories(`${root}${path}/${name}`)) {
          const id = parseContainerElement(container);
          if (containerIds.has(id)) found.set(id, { podUid, path: `${path}/${name}/${container}` });
        }
      } else if (depth < maxDepth && !isContainerName(name) && !isHandedOver(`${path}/${name}`)) {
        waiting.push({ path: `${path}/${name}`, depth: depth + 1 });
      }
    }
    if (done % sliceSize === 0) await nextTurn();
  }
  return found;
}

/** Undefined for one that is gone. */
const findOwner = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.uid;

/** What cannot be read is nobody's business here. */
function tryListDirectories(path: string): readonly string[] {
  try {
    return listDirectories(path);
  } catch {
    return [];
  }
}
