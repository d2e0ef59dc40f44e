// SPDX-License-Identifier: Apache-2.0
// What an agent before this one has left in force, and this one does not know of yet. None of it may be taken out before
// it is known to be wrong: a container that runs would be without its policies until somebody tells of it again.

import { HOST_MARKER } from "@rthooks/policy";
import type { FoundPolicy } from "./filter-maps.ts";

export interface Inherited {
  /** Whether the policy's cgroup was left; from now on it is this agent's own. */
  claim(policyId: number, cgroupId: bigint): boolean;
  /** A cgroup below `rootId` is where that one is left from now on; gives the policies in which it was not. */
  spread(rootId: bigint, cgroupId: bigint): readonly number[];
  /** Of the policies that are meant: those of which the cgroup was left and not claimed; it is forgotten here. */
  drop(cgroupId: bigint, isMeant: (policyId: number) => boolean): readonly number[];
  /** What is left of the policy; undefined for one that was not left. */
  find(policyId: number): ReadonlySet<bigint> | undefined;
  dropPolicy(policyId: number): void;
  /** Without the mark of the host, which is no cgroup. */
  cgroupIds(): ReadonlySet<bigint>;
  policyIds(): readonly number[];
}

export function createInherited(found: ReadonlyMap<number, FoundPolicy>): Inherited {
  const left = new Map([...found].map(([policyId, { cgroupIds }]) => [policyId, new Set(cgroupIds)]));
  /** Of all policies: most of an agent's life there is nothing left, and then nobody has to look. */
  let remaining = [...left.values()].reduce((sum, { size }) => sum + size, 0);
  const take = (policyId: number, cgroupId: bigint): boolean => {
    if (left.get(policyId)?.delete(cgroupId) !== true) return false;
    remaining--;
    return true;
  };
  return {
    claim: take,
    spread(rootId, cgroupId) {
      if (remaining === 0) return [];
      const added = [...left].filter(([, ids]) => ids.has(rootId) && !ids.has(cgroupId));
      for (const [, ids] of added) ids.add(cgroupId);
      remaining += added.length;
      return added.map(([policyId]) => policyId);
    },
    drop: (cgroupId, isMeant) =>
      remaining === 0 ? [] : [...left.keys()].filter((id) => isMeant(id) && take(id, cgroupId)),
    find: (policyId) => left.get(policyId),
    dropPolicy(policyId) {
      remaining -= left.get(policyId)?.size ?? 0;
      left.delete(policyId);
    },
    cgroupIds: () =>
      new Set([...left.values()].flatMap((cgroupIds) => [...cgroupIds].filter((id) => id !== HOST_MARKER))),
    policyIds: () => [...left.keys()],
  };
}
