// SPDX-License-Identifier: Apache-2.0
// Which container each part of the cgroup hierarchy belongs to. Every container has one root cgroup, and everything below
// it belongs to the container. Roots do not overlap: otherwise policies of one container would select another's processes.

import type { Refusal } from "../../base/core/refusal.ts";

/** The root of another container. */
interface Overlap {
  readonly containerId: string;
  readonly path: string;
}

export interface ContainerRoots {
  /** Replaces the container's root. */
  put(containerId: string, path: string): void;
  remove(containerId: string): void;
  /** The root of another container that is this cgroup, or lies above or below it. */
  findOverlap(containerId: string, path: string): Overlap | undefined;
}

export function createContainerRoots(): ContainerRoots {
  const pathOf = new Map<string, string>();
  const ownerOf = new Map<string, string>();
  /** The containers with roots below each cgroup. */
  const below = new Map<string, Set<string>>();

  const remove = (containerId: string): void => {
    const path = pathOf.get(containerId);
    if (path === undefined) return;
    pathOf.delete(containerId);
    if (ownerOf.get(path) === containerId) ownerOf.delete(path);
    for (const parent of listParents(path)) {
      const owners = below.get(parent);
      owners?.delete(containerId);
      if (owners?.size === 0) below.delete(parent);
    }
  };

  return {
    put(containerId, path) {
      remove(containerId);
      pathOf.set(containerId, path);
      ownerOf.set(path, containerId);
      for (const parent of listParents(path)) {
        const owners = below.get(parent);
        if (owners === undefined) below.set(parent, new Set([containerId]));
        else owners.add(containerId);
      }
    },
    remove,
    findOverlap(containerId, path) {
      for (const place of [path, ...listParents(path)]) {
        const owner = ownerOf.get(place);
        if (owner !== undefined && owner !== containerId) return { containerId: owner, path: place };
      }
      for (const owner of below.get(path) ?? []) {
        if (owner !== containerId) return { containerId: owner, path: pathOf.get(owner) ?? "" };
      }
      return undefined;
    },
  };
}

export function toOverlapRefusal(cgroupsPath: string, { containerId, path }: Overlap): Refusal {
  const relation = path === cgroupsPath ? "is" : path.startsWith(`${cgroupsPath}/`) ? "holds" : "is in";
  const message = `cgroupsPath ${cgroupsPath} ${relation} the cgroup of container ${containerId}, ${path}`;
  return { kind: "cgroup-conflict", message };
}

/** From the nearest to the highest, without the root of the hierarchy. */
function listParents(path: string): readonly string[] {
  const parents: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    parents.push(path.slice(0, end));
  }
  return parents;
}
