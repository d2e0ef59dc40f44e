// SPDX-License-Identifier: Apache-2.0
// Which rules are about which containers. A rule is about the containers that all of its filters match. What an earlier
// agent left in the maps counts as long as it may be right: this agent does not know the container, or all labels of its
// pod, or the policy of the rule yet.

import { createFilterMembership, type Filter, type FilteredContainer, hasPod } from "@rthooks/policy";

/** A container with the place of its root cgroup. */
export interface PlacedContainer extends FilteredContainer {
  /** Of its root cgroup below the root of the hierarchy; 1 is directly below. */
  readonly level: number;
  /** Path of its root cgroup below the root of the hierarchy. */
  readonly cgroupPath?: string;
}

/** What a rule is about. */
interface RuleScope {
  readonly filters: readonly Filter[];
  readonly includesHost: boolean;
}

export interface RuleMembers {
  /** `predecessor`: the number of the rule that this one replaces; it passes on what it inherited. */
  addRule(number: number, scope: RuleScope, predecessor: number | undefined): void;
  removeRule(number: number): void;
  /** Cgroups of the containers that the rule is about, as far as they are known. */
  cgroupsOf(number: number): ReadonlySet<bigint>;
  /** Replaces the container with the same id. */
  putContainer(container: PlacedContainer): void;
  removeContainer(containerId: string): void;
  find(containerId: string): PlacedContainer | undefined;
  containers(): Iterable<PlacedContainer>;
  rulesOf(container: PlacedContainer): ReadonlySet<number>;
  /** Cgroups that only an earlier agent has put into the maps. */
  inheritedCgroupIds(): ReadonlySet<bigint>;
  forgetCgroup(cgroupId: bigint): void;
}

interface Rule extends RuleScope {
  readonly filterIds: readonly number[];
}

/** `found`: the containers in the maps with their rules. */
export function createRuleMembers(
  found: Iterable<readonly [cgroupId: bigint, rules: Iterable<number>]>,
): RuleMembers {
  const membership = createFilterMembership();
  const placed = new Map<string, PlacedContainer>();
  const rules = new Map<number, Rule>();
  const inherited = new Map([...found].map(([cgroupId, numbers]) => [cgroupId, new Set(numbers)]));
  const known = new Map<bigint, string>();
  let lastFilterId = 1;

  const isAbout = ({ filterIds, includesHost }: Rule, container: PlacedContainer): boolean =>
    hasPod(container) ? filterIds.every((id) => membership.isMember(id, container.cgroupId)) : includesHost;

  /** With all labels of its pod known, what an earlier agent left for a rule of a known policy is wrong or repeated. */
  const mayBeRight = (number: number, container: PlacedContainer): boolean =>
    !rules.has(number) || !container.hasAllLabels;

  const removeContainer = (containerId: string): void => {
    const container = placed.get(containerId);
    if (container === undefined) return;
    placed.delete(containerId);
    membership.removeContainer(containerId);
    if (known.get(container.cgroupId) !== containerId) return;
    known.delete(container.cgroupId);
    inherited.delete(container.cgroupId);
  };

  return {
    addRule(number, scope, predecessor) {
      const filterIds = scope.filters.map((filter) => {
        const id = ++lastFilterId;
        membership.putFilter(id, filter);
        return id;
      });
      rules.set(number, { ...scope, filterIds });
      if (predecessor === undefined) return;
      for (const numbers of inherited.values()) if (numbers.has(predecessor)) numbers.add(number);
    },
    removeRule(number) {
      for (const id of rules.get(number)?.filterIds ?? []) membership.removeFilter(id);
      rules.delete(number);
      for (const numbers of inherited.values()) numbers.delete(number);
    },
    cgroupsOf(number) {
      const rule = rules.get(number);
      const cgroups = new Set<bigint>();
      for (const container of placed.values())
        if (rule !== undefined && isAbout(rule, container)) cgroups.add(container.cgroupId);
      for (const [cgroupId, numbers] of inherited) {
        const container = placed.get(known.get(cgroupId) ?? "");
        if (numbers.has(number) && (container === undefined || mayBeRight(number, container)))
          cgroups.add(cgroupId);
      }
      return cgroups;
    },
    putContainer(container) {
      const old = placed.get(container.containerId);
      if (old !== undefined && old.cgroupId !== container.cgroupId) removeContainer(container.containerId);
      membership.putContainer(container);
      placed.set(container.containerId, container);
      known.set(container.cgroupId, container.containerId);
    },
    removeContainer,
    find: (containerId) => placed.get(containerId),
    containers: () => placed.values(),
    rulesOf(container) {
      const numbers = new Set<number>();
      for (const [number, rule] of rules) if (isAbout(rule, container)) numbers.add(number);
      for (const number of inherited.get(container.cgroupId) ?? [])
        if (mayBeRight(number, container)) numbers.add(number);
      return numbers;
    },
    inheritedCgroupIds: () => new Set([...inherited.keys()].filter((cgroupId) => !known.has(cgroupId))),
    forgetCgroup: (cgroupId) => void inherited.delete(cgroupId),
  };
}
