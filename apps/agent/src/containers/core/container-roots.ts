// SPDX-License-Identifier: Apache-2.0
// Which container each part of the cgroup hierarchy belongs to. Every container has one root, and all below it is the
// container's; no root lies in another one, or the one container's processes would be under the other's policies.

import type { Cgroup } from "@rthooks/machines/pod";

interface Overlap {
  readonly containerId: string;
  readonly path: string;
}

export interface ContainerRoots {
  /** In place of the root that the container had. */
  put(containerId: string, path: string): void;
  remove(containerId: string): void;
  /** A root of another container that is the same cgroup, or lies above or below. */
  findOverlap(containerId: string, path: string): Overlap | undefined;
}

export function createContainerRoots(): ContainerRoots {
  const pathOf = new Map<string, string>();
  const ownerOf = new Map<string, string>();
  /** By each cgroup above roots: the containers that have them. */
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

/** What a call that names `found` means for a container with the root `known`. */
export function chooseRoot(known: Cgroup | undefined, found: Cgroup, isKnownGone: () => boolean) {
  if (known === undefined || known.id === found.id) return found;
  // A cgroup of its own below the root, where its process is just now.
  if (found.path.startsWith(`${known.path}/`)) return known;
  return isKnownGone() ? found : undefined;
}

/** From the nearest to the highest, without the root of the hierarchy. */
function listParents(path: string): readonly string[] {
  const parents: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    parents.push(path.slice(0, end));
  }
  return parents;
}
