// SPDX-License-Identifier: Apache-2.0
// After any events the maps hold what a look at everything would put there, and the changes alone lead to it.
import { expect, test } from "bun:test";
import {
  ALL_PODS_ID,
  createFilterMembership,
  type Filter,
  type FilteredContainer,
  HOST_MARKER,
  type MembershipChange,
  matchAll,
  matchesSelector,
} from "@rthooks/policy";
import fc from "fast-check";
import { container, definition, type Pod, pod } from "./filter-arbitraries.ts";

type Event =
  | { readonly kind: "policy"; readonly id: number; readonly definition: Filter }
  | { readonly kind: "no policy"; readonly id: number }
  | { readonly kind: "container"; readonly container: FilteredContainer }
  | { readonly kind: "no container"; readonly id: string }
  | { readonly kind: "pod"; readonly pod: Pod };

const policyId = fc.integer({ min: 2, max: 5 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("policy" as const), id: policyId, definition }),
  fc.record({ kind: fc.constant("no policy" as const), id: policyId }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("container" as const), container }) },
  fc.record({ kind: fc.constant("no container" as const), id: fc.constantFrom("a", "b", "c", "d", "e") }),
  fc.record({ kind: fc.constant("pod" as const), pod }),
);

/** What the events say, looked at as a whole each time. */
function createNaive() {
  const policies = new Map<number, Filter>([
    [
      ALL_PODS_ID,
      { namespace: undefined, podSelector: matchAll, containerSelector: matchAll, hostSelector: false },
    ],
  ]);
  const containers = new Map<string, FilteredContainer>();
  const apply = (happened: Event): void => {
    switch (happened.kind) {
      case "policy":
        policies.set(happened.id, happened.definition);
        break;
      case "no policy":
        policies.delete(happened.id);
        break;
      case "container":
        containers.set(happened.container.containerId, happened.container);
        break;
      case "no container":
        containers.delete(happened.id);
        break;
      case "pod":
        for (const [id, known] of containers)
          if (known.podUid === happened.pod.podUid) containers.set(id, { ...known, ...happened.pod });
    }
  };
  const isMember = (policy: Filter, container: FilteredContainer): boolean => {
    const { podUid, namespace, labels, containerName, image } = container;
    if (podUid === undefined || policy.podSelector === undefined || policy.containerSelector === undefined)
      return false;
    const podLabels = new Map([...labels, ["k8s:io.kubernetes.pod.namespace", namespace]]);
    const own = new Map([
      ["name", containerName],
      ["repo", image],
    ]);
    return (
      (policy.namespace === undefined || policy.namespace === namespace) &&
      matchesSelector(policy.podSelector, podLabels) &&
      matchesSelector(policy.containerSelector, own)
    );
  };
  const compute = () =>
    new Map(
      [...policies].map(([id, policy]) => [
        id,
        new Set([
          ...(policy.hostSelector ? [HOST_MARKER] : []),
          ...[...containers.values()]
            .filter((known) => isMember(policy, known))
            .map(({ cgroupId }) => cgroupId),
        ]),
      ]),
    );
  return { apply, compute };
}

/** The maps as the changes leave them; a change that changes nothing is an error. */
function applyChanges(maps: Map<number, Set<bigint>>, changes: readonly MembershipChange[]): void {
  for (const change of changes) {
    const members = maps.get(change.filterId);
    switch (change.kind) {
      case "filter.put":
        maps.set(change.filterId, new Set(change.cgroupIds));
        break;
      case "filter.removed":
        expect(maps.delete(change.filterId)).toBe(true);
        break;
      case "cgroup.added":
        expect(members?.has(change.cgroupId)).toBe(false);
        members?.add(change.cgroupId);
        break;
      case "cgroup.removed":
        expect(members?.delete(change.cgroupId)).toBe(true);
    }
  }
}

const sort = (maps: ReadonlyMap<number, ReadonlySet<bigint>>) =>
  [...maps]
    .map(([id, members]) => [id, [...members].toSorted()] as const)
    .toSorted(([one], [other]) => one - other);

test("the maps equal a recomputation after every event", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const membership = createFilterMembership();
      const naive = createNaive();
      const maps = new Map([[ALL_PODS_ID, new Set<bigint>()]]);
      for (const happened of events) {
        naive.apply(happened);
        switch (happened.kind) {
          case "policy":
            applyChanges(maps, [membership.putFilter(happened.id, happened.definition)]);
            break;
          case "no policy":
            applyChanges(maps, membership.removeFilter(happened.id));
            break;
          case "container":
            applyChanges(maps, membership.putContainer(happened.container));
            break;
          case "no container":
            applyChanges(maps, membership.removeContainer(happened.id));
            break;
          case "pod":
            for (const known of [...membership.containers()])
              if (known.podUid === happened.pod.podUid)
                applyChanges(maps, membership.putContainer({ ...known, ...happened.pod }));
        }
        const expected = sort(naive.compute());
        expect(sort(maps)).toEqual(expected);
        const contents = [...membership.filterIds()].map(
          (id) => [id, membership.cgroupIdsOf(id) ?? new Set<bigint>()] as const,
        );
        expect(sort(new Map(contents))).toEqual(expected);
      }
    }),
    { numRuns: 2_000, includeErrorInReport: true },
  );
}, 120_000);
