// SPDX-License-Identifier: Apache-2.0
// The containers of the node as the runtime has told of them: what an agent that comes new has to be told again. As
// many as the runtime has, and no more: what ends is taken out, and a synchronization replaces all.

import type { NriInventory } from "@rthooks/nri";
import { type Container, ContainerState, type PodSandbox } from "@rthooks/proto/nri";
import type { NodeSizes } from "./synchronization-room.ts";

export type HeldBy = "nothing" | "hook" | "plugin";

interface KnownContainer {
  readonly sandbox: PodSandbox;
  readonly container: Container;
  /** What holds it until the agent knows it: the hook that was added to it, or the answer to StartContainer. */
  readonly heldBy: HeldBy;
  /** Encoded size in bytes. */
  readonly containerBytes: number;
}

export interface KnownContainers {
  readonly size: number;
  put(known: KnownContainer): void;
  /** A pod's sandbox, with its encoded size in bytes. */
  putSandbox(sandboxId: string, bytes: number): void;
  /** Whether it was known. */
  remove(containerId: string): boolean;
  /** Gives the ids of what it took out. */
  removeSandbox(sandboxId: string): readonly string[];
  /** All that the runtime has; gives the ids of those that have ended, as far as it tells or as they were known. */
  replaceAll(inventory: NriInventory): readonly string[];
  /** Of all sandboxes, and of all containers but this one. */
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
        if (container.state === ContainerState.CONTAINER_STOPPED) {
          ended.add(container.id);
          continue;
        }
        // Also one whose state a runtime, new itself, does not know yet: an agent takes only what has a cgroup.
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
