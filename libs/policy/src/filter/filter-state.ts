// SPDX-License-Identifier: Apache-2.0
// Which cgroups belong to which policy: the contents of the policy filter's maps as a function of containers and
// policies, given as the changes that each event makes. What an event costs depends on what it matches alone.

import { findAnchor, type Labels } from "../label-selector.ts";
import {
  ALL_PODS_ID,
  allPods,
  type FilterContainer,
  type FilterDefinition,
  type FilterPod,
  HOST_MARKER,
  isFiltered,
  NAMESPACE_LABEL,
} from "./filter-definition.ts";
import { createLabelIndex, findCandidates } from "./label-index.ts";

export type FilterChange =
  /** In place of the policy that had the id, if one had. */
  | { readonly kind: "policy.put"; readonly policyId: number; readonly cgroupIds: readonly bigint[] }
  | { readonly kind: "policy.removed"; readonly policyId: number }
  | {
      readonly kind: "cgroup.added" | "cgroup.removed";
      readonly policyId: number;
      readonly cgroupId: bigint;
    };

export interface FilterState {
  /** In place of what had the id. */
  putPolicy(policyId: number, definition: FilterDefinition): Extract<FilterChange, { kind: "policy.put" }>;
  removePolicy(policyId: number): readonly FilterChange[];
  /** In place of what was known under the same container id. */
  putContainer(container: FilterContainer): readonly FilterChange[];
  removeContainer(containerId: string): readonly FilterChange[];
  /** The labels or the namespace of a pod are others now. */
  updatePod(pod: FilterPod): readonly FilterChange[];
  /** Ids of all policies, the entry of all pods among them. */
  policyIds(): Iterable<number>;
  has(policyId: number): boolean;
  isMember(policyId: number, cgroupId: bigint): boolean;
  /** How many cgroups each policy has, its mark of the host among them. */
  sizes(): Iterable<readonly [policyId: number, cgroups: number]>;
  /** The policy's cgroups; undefined for one that is not there. */
  find(policyId: number): ReadonlySet<bigint> | undefined;
}

interface Policy {
  readonly definition: FilterDefinition;
  /** How many containers give each cgroup. */
  readonly members: Map<bigint, number>;
}

interface Known extends FilterContainer {
  readonly podLabels: Labels;
  readonly policyIds: Set<number>;
}

export function createFilterState(): FilterState {
  const policies = new Map<number, Policy>();
  const containers = new Map<string, Known>();
  const containersByLabel = createLabelIndex<string>();
  const containersOfPod = new Map<string, Set<string>>();
  const policiesByLabel = createLabelIndex<number>();
  /** Those that any pod's labels may match. */
  const unanchored = new Set<number>();
  policies.set(ALL_PODS_ID, { definition: allPods, members: new Map() });
  unanchored.add(ALL_PODS_ID);

  const join = (policyId: number, cgroupIds: readonly bigint[], changes: FilterChange[]): void => {
    const members = policies.get(policyId)?.members;
    for (const cgroupId of cgroupIds) {
      const count = members?.get(cgroupId) ?? 0;
      members?.set(cgroupId, count + 1);
      if (count === 0) changes.push({ kind: "cgroup.added", policyId, cgroupId });
    }
  };

  const leave = (policyId: number, cgroupIds: readonly bigint[], changes: FilterChange[]): void => {
    const members = policies.get(policyId)?.members;
    for (const cgroupId of cgroupIds) {
      const count = members?.get(cgroupId) ?? 0;
      if (count > 1) members?.set(cgroupId, count - 1);
      else if (members?.delete(cgroupId) === true)
        changes.push({ kind: "cgroup.removed", policyId, cgroupId });
    }
  };

  /** Only policies that one of the labels brings up, and those that ask for none. */
  const findPolicies = (container: FilterContainer, podLabels: Labels): Set<number> => {
    const found = new Set<number>();
    if (container.pod === undefined) return found;
    const consider = (policyId: number): void => {
      const policy = policies.get(policyId);
      if (policy !== undefined && isFiltered(policy.definition, container, podLabels)) found.add(policyId);
    };
    for (const policyId of unanchored) consider(policyId);
    for (const [key, value] of podLabels)
      for (const policyId of policiesByLabel.find(key, value)) consider(policyId);
    return found;
  };

  const anchorsOf = (definition: FilterDefinition): readonly (readonly [string, string])[] => {
    const { namespace, podSelector } = definition;
    const anchor = podSelector === undefined ? undefined : findAnchor(podSelector);
    if (anchor !== undefined) return anchor.values.map((value) => [anchor.key, value]);
    return namespace === undefined ? [] : [[NAMESPACE_LABEL, namespace]];
  };

  const removePolicy = (policyId: number): readonly FilterChange[] => {
    const policy = policies.get(policyId);
    if (policy === undefined) return [];
    policies.delete(policyId);
    unanchored.delete(policyId);
    for (const [key, value] of anchorsOf(policy.definition)) policiesByLabel.remove(key, value, policyId);
    for (const containerId of findContainers(policy.definition))
      containers.get(containerId)?.policyIds.delete(policyId);
    return [{ kind: "policy.removed", policyId }];
  };

  const findContainers = ({ podSelector, namespace }: FilterDefinition): Iterable<string> => {
    if (podSelector === undefined) return [];
    const byLabels = findCandidates(containersByLabel, podSelector);
    const byNamespace =
      namespace === undefined ? undefined : containersByLabel.find(NAMESPACE_LABEL, namespace);
    if (byLabels !== undefined && (byNamespace === undefined || byLabels.size < byNamespace.size))
      return byLabels;
    return byNamespace ?? containers.keys();
  };

  const putPolicy: FilterState["putPolicy"] = (policyId, definition) => {
    removePolicy(policyId);
    const members = new Map<bigint, number>();
    policies.set(policyId, { definition, members });
    const anchors = anchorsOf(definition);
    if (anchors.length === 0) unanchored.add(policyId);
    for (const [key, value] of anchors) policiesByLabel.add(key, value, policyId);
    if (definition.hostSelector) members.set(HOST_MARKER, 1);
    for (const containerId of findContainers(definition)) {
      const container = containers.get(containerId);
      if (container === undefined || !isFiltered(definition, container, container.podLabels)) continue;
      container.policyIds.add(policyId);
      for (const cgroupId of container.cgroupIds) members.set(cgroupId, (members.get(cgroupId) ?? 0) + 1);
    }
    return { kind: "policy.put", policyId, cgroupIds: [...members.keys()] };
  };

  const forget = (container: Known): void => {
    const { containerId, pod } = container;
    containers.delete(containerId);
    for (const [key, value] of container.podLabels) containersByLabel.remove(key, value, containerId);
    const siblings = containersOfPod.get(pod?.uid ?? "");
    if (siblings?.delete(containerId) === true && siblings.size === 0) containersOfPod.delete(pod?.uid ?? "");
  };

  const removeContainer = (containerId: string): readonly FilterChange[] => {
    const container = containers.get(containerId);
    if (container === undefined) return [];
    forget(container);
    const changes: FilterChange[] = [];
    for (const policyId of container.policyIds) leave(policyId, container.cgroupIds, changes);
    return changes;
  };

  const putContainer = (container: FilterContainer): readonly FilterChange[] => {
    const { containerId, pod, cgroupIds } = container;
    const old = containers.get(containerId);
    if (old !== undefined) forget(old);
    const podLabels = pod === undefined ? noLabels : new Map(pod.labels).set(NAMESPACE_LABEL, pod.namespace);
    const policyIds = findPolicies(container, podLabels);
    containers.set(containerId, { ...container, podLabels, policyIds });
    for (const [key, value] of podLabels) containersByLabel.add(key, value, containerId);
    if (pod !== undefined) {
      const siblings = containersOfPod.get(pod.uid);
      if (siblings === undefined) containersOfPod.set(pod.uid, new Set([containerId]));
      else siblings.add(containerId);
    }
    const oldPolicyIds = old?.policyIds ?? noPolicies;
    const oldCgroupIds = old?.cgroupIds ?? [];
    const gained = subtract(cgroupIds, oldCgroupIds);
    const lost = subtract(oldCgroupIds, cgroupIds);
    // Joined before anything is left, so that what stays in a policy never leaves it.
    const changes: FilterChange[] = [];
    for (const policyId of policyIds)
      join(policyId, oldPolicyIds.has(policyId) ? gained : cgroupIds, changes);
    for (const policyId of oldPolicyIds)
      leave(policyId, policyIds.has(policyId) ? lost : oldCgroupIds, changes);
    return changes;
  };

  return {
    putPolicy,
    removePolicy: (policyId) => (policyId === ALL_PODS_ID ? [] : removePolicy(policyId)),
    putContainer,
    removeContainer,
    updatePod: (pod) =>
      [...(containersOfPod.get(pod.uid) ?? [])].flatMap((containerId) => {
        const container = containers.get(containerId);
        return container === undefined ? [] : putContainer({ ...container, pod });
      }),
    policyIds: () => policies.keys(),
    has: (policyId) => policies.has(policyId),
    isMember: (policyId, cgroupId) => policies.get(policyId)?.members.has(cgroupId) === true,
    sizes: () => [...policies].map(([policyId, { members }]) => [policyId, members.size]),
    find: (policyId) => {
      const policy = policies.get(policyId);
      return policy === undefined ? undefined : new Set(policy.members.keys());
    },
  };
}

/** Those that `some` has more often than `others`: of a container with many cgroups most stay from one change to the next. */
function subtract(some: readonly bigint[], others: readonly bigint[]): readonly bigint[] {
  const counts = new Map<bigint, number>();
  for (const id of others) counts.set(id, (counts.get(id) ?? 0) + 1);
  return some.filter((id) => {
    const count = counts.get(id) ?? 0;
    if (count > 0) counts.set(id, count - 1);
    return count === 0;
  });
}

const noPolicies: ReadonlySet<number> = new Set();
const noLabels: Labels = new Map();
