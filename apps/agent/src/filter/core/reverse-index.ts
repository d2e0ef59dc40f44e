// SPDX-License-Identifier: Apache-2.0
// The policy filter read the other way: the policies of each cgroup.

import { HOST_MARKER } from "@rthooks/policy";
import type { FilterMaps } from "./filter-maps.ts";

export interface ReverseIndex {
  /** The same maps, with what changes in them noted here. */
  readonly maps: FilterMaps;
  policiesOf(cgroupId: bigint): readonly number[];
  /** All that are in a policy. */
  cgroupIds(): Iterable<bigint>;
}

/** `onChange`: the cgroup has other policies now. What was found in the maps is in the index from the beginning, without it. */
export function indexReverse(maps: FilterMaps, onChange: (cgroupId: bigint) => void): ReverseIndex {
  const policiesOf = new Map<bigint, Set<number>>();
  const membersOf = new Map<number, Set<bigint>>();

  const note = (policyId: number, cgroupId: bigint): void => {
    // The mark of the host is no cgroup.
    if (cgroupId === HOST_MARKER) return;
    membersOf.set(policyId, (membersOf.get(policyId) ?? new Set()).add(cgroupId));
    policiesOf.set(cgroupId, (policiesOf.get(cgroupId) ?? new Set()).add(policyId));
  };
  const join = (policyId: number, cgroupId: bigint): void => {
    note(policyId, cgroupId);
    if (cgroupId !== HOST_MARKER) onChange(cgroupId);
  };
  const leave = (policyId: number, cgroupId: bigint): void => {
    const policies = policiesOf.get(cgroupId);
    if (policies?.delete(policyId) !== true) return;
    membersOf.get(policyId)?.delete(cgroupId);
    if (policies.size === 0) policiesOf.delete(cgroupId);
    onChange(cgroupId);
  };

  for (const [policyId, { cgroupIds }] of maps.found)
    for (const cgroupId of cgroupIds) note(policyId, cgroupId);

  const indexed: FilterMaps = {
    ...maps,
    putPolicy(policyId, key, cgroupIds) {
      const wanted = new Set(cgroupIds);
      const done = maps.putPolicy(policyId, key, wanted);
      if (!done.ok) return done;
      for (const cgroupId of wanted)
        if (policiesOf.get(cgroupId)?.has(policyId) !== true) join(policyId, cgroupId);
      for (const cgroupId of membersOf.get(policyId) ?? [])
        if (!wanted.has(cgroupId)) leave(policyId, cgroupId);
      return done;
    },
    removePolicy(policyId) {
      maps.removePolicy(policyId);
      for (const cgroupId of membersOf.get(policyId) ?? []) leave(policyId, cgroupId);
      membersOf.delete(policyId);
    },
    add(policyId, cgroupId) {
      const done = maps.add(policyId, cgroupId);
      if (done.ok) join(policyId, cgroupId);
      return done;
    },
    remove(policyId, cgroupId) {
      const done = maps.remove(policyId, cgroupId);
      if (done.ok) leave(policyId, cgroupId);
      return done;
    },
  };

  return {
    maps: indexed,
    policiesOf: (cgroupId) => [...(policiesOf.get(cgroupId) ?? [])],
    cgroupIds: () => policiesOf.keys(),
  };
}
