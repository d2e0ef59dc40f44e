// SPDX-License-Identifier: Apache-2.0
// The policy filter read the other way: the policies of each cgroup.

import { HOST_MARKER } from "@rthooks/policy";
import type { FilterMaps } from "./filter-maps.ts";

export type OnCgroupPolicies = (cgroupId: bigint, policyIds: readonly number[]) => void;

/** The same maps; `onChange` is told of each cgroup whose policies are others now, at first of all that were found. */
export function indexReverse(maps: FilterMaps, onChange: OnCgroupPolicies): FilterMaps {
  const policiesOf = new Map<bigint, Set<number>>();
  const membersOf = new Map<number, Set<bigint>>();

  const tell = (cgroupId: bigint): void => onChange(cgroupId, [...(policiesOf.get(cgroupId) ?? [])]);
  const join = (policyId: number, cgroupId: bigint): void => {
    // The mark of the host is no cgroup.
    if (cgroupId === HOST_MARKER) return;
    membersOf.set(policyId, (membersOf.get(policyId) ?? new Set()).add(cgroupId));
    policiesOf.set(cgroupId, (policiesOf.get(cgroupId) ?? new Set()).add(policyId));
    tell(cgroupId);
  };
  const leave = (policyId: number, cgroupId: bigint): void => {
    const policies = policiesOf.get(cgroupId);
    if (policies?.delete(policyId) !== true) return;
    membersOf.get(policyId)?.delete(cgroupId);
    if (policies.size === 0) policiesOf.delete(cgroupId);
    tell(cgroupId);
  };

  for (const [policyId, { cgroupIds }] of maps.found)
    for (const cgroupId of cgroupIds) join(policyId, cgroupId);

  return {
    found: maps.found,
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
      const done = maps.removePolicy(policyId);
      if (!done.ok) return done;
      for (const cgroupId of membersOf.get(policyId) ?? []) leave(policyId, cgroupId);
      membersOf.delete(policyId);
      return done;
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
    close: () => maps.close(),
  };
}
