// SPDX-License-Identifier: Apache-2.0
// The containers of the node as the runtime reported them. The plugin reports them to an agent that has just started.
// Stopped containers are removed, and a synchronization replaces all, so that there are as many as in the runtime.

import { isStopped, type NriContainer, type NriInventory, type NriPodSandbox } from "@rthooks/nri";
import type { NodeSizes } from "./synchronization-size.ts";

export type HeldBy = "nothing" | "hook" | "plugin";

interface KnownContainer {
  readonly sandbox: NriPodSandbox;
  readonly container: NriContainer;
  /** What holds the container: the hook that the plugin added, or the plugin's answer to StartContainer. */
  readonly heldBy: HeldBy;
  /** Encoded size in bytes. */
  readonly containerBytes: number;
}

export interface KnownContainers {
  readonly size: number;
  put(known: KnownContainer): void;
  /** A pod's sandbox, with its encoded size in bytes. */
  putSandbox(sandboxId: string, bytes: number): void;
  /** True if the container was known. */
  remove(containerId: string): boolean;
  /** Returns the ids of the containers that it removed. */
  removeSandbox(sandboxId: string): readonly string[];
  /** Takes a synchronization. Returns the ids of stopped containers: listed as stopped, or known before and not listed. */
  replaceAll(inventory: NriInventory): readonly string[];
  /** Sizes of all sandboxes, and of all containers but this one. */
  sizesWithout(containerId: string): NodeSizes;
  hasSandbox(sandboxId: string): boolean;
  find(containerId: string): KnownContainer | undefined;
  list(): readonly KnownContainer[];
}

export function createKnownContainers(): KnownContainers {
  const known = new Map<string, KnownContainer>();
  const sandboxBytes = new Map<string, number>();
  return {
    get size() {
      return known.size;
    },
    put: (entry) => void known.set(entry.container.id, entry),
    putSandbox: (sandboxId, bytes) => void sandboxBytes.set(sandboxId, bytes),
    remove: (containerId) => known.delete(containerId),
    removeSandbox(sandboxId) {
      sandboxBytes.delete(sandboxId);
      const ids = [...known.values()]
        .filter(({ sandbox }) => sandbox.id === sandboxId)
        .map(({ container }) => container.id);
      for (const id of ids) known.delete(id);
      return ids;
    },
    replaceAll({ pods, containers, sizes }) {
      const sandboxOf = new Map(pods.map((sandbox) => [sandbox.id, sandbox]));
      const ended = new Set(known.keys());
      known.clear();
      sandboxBytes.clear();
      for (const { id } of pods) sandboxBytes.set(id, sizes.get(id) ?? 0);
      for (const container of containers) {
        if (isStopped(container)) {
          ended.add(container.id);
          continue;
        }
        // A runtime that has just started lists running containers with an unknown state. The agent accepts only
        // containers that have a cgroup.
        ended.delete(container.id);
        const sandbox = sandboxOf.get(container.podSandboxId);
        if (sandbox === undefined) continue;
        const containerBytes = sizes.get(container.id) ?? 0;
        known.set(container.id, { sandbox, container, heldBy: "nothing", containerBytes });
      }
      return [...ended];
    },
    sizesWithout(containerId) {
      const others = [...known.values()].filter(({ container }) => container.id !== containerId);
      return {
        pods: [...sandboxBytes.values()],
        containers: others.map(({ containerBytes }) => containerBytes),
      };
    },
    hasSandbox: (sandboxId) => sandboxBytes.has(sandboxId),
    find: (containerId) => known.get(containerId),
    list: () => [...known.values()],
  };
}
