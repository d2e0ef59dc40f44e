// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type LabelSelector, matchAll } from "../label-selector.ts";
import { ALL_PODS_ID, type Filter, HOST_MARKER } from "./filter.ts";
import { createFilterMembership } from "./filter-membership.ts";
import type { FilteredContainer } from "./filtered-container.ts";

const select = (labels: Readonly<Record<string, string>>): LabelSelector => ({
  matchLabels: new Map(Object.entries(labels)),
  matchExpressions: [],
});
const about = (labels: Readonly<Record<string, string>>, more: Partial<Filter> = {}): Filter => ({
  namespace: undefined,
  podSelector: select(labels),
  containerSelector: matchAll,
  hostSelector: false,
  ...more,
});
const container = (
  containerId: string,
  cgroupId: bigint,
  labels: Readonly<Record<string, string>>,
  more: Partial<FilteredContainer> = {},
): FilteredContainer => ({
  containerId,
  containerName: "app",
  image: "registry.example.org/web:1.2",
  cgroupId,
  podUid: `pod-of-${containerId}`,
  podName: "",
  namespace: "shop",
  labels: new Map(Object.entries(labels)),
  hasAllLabels: true,
  ...more,
});
const web = { app: "web" };

describe("a container", () => {
  test("joins the filters that it matches, and the filter of all pods", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web));
    membership.putFilter(3, about({ app: "db" }));
    expect(membership.putContainer(container("a", 10n, web))).toEqual([
      { kind: "cgroup.added", filterId: ALL_PODS_ID, cgroupId: 10n },
      { kind: "cgroup.added", filterId: 2, cgroupId: 10n },
    ]);
    expect(membership.putContainer(container("a", 10n, web))).toEqual([]);
    expect(membership.removeContainer("a")).toEqual([
      { kind: "cgroup.removed", filterId: ALL_PODS_ID, cgroupId: 10n },
      { kind: "cgroup.removed", filterId: 2, cgroupId: 10n },
    ]);
    expect(membership.removeContainer("a")).toEqual([]);
  });

  test("of no pod is in no filter", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about({}));
    expect(membership.putContainer(container("a", 10n, web, { podUid: undefined }))).toEqual([]);
  });

  test("of another namespace is in no filter of a namespaced policy", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web, { namespace: "ops" }));
    membership.putFilter(3, about({}, { namespace: "shop" }));
    membership.putContainer(container("a", 10n, web));
    expect([membership.cgroupIdsOf(2), membership.cgroupIdsOf(3)]).toEqual([new Set(), new Set([10n])]);
  });

  test("is selected by its name and the repository of its image too", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web, { containerSelector: select({ name: "app" }) }));
    membership.putFilter(3, about(web, { containerSelector: select({ repo: "elsewhere" }) }));
    membership.putContainer(container("a", 10n, web));
    membership.putContainer(container("b", 11n, web, { containerName: "sidecar" }));
    expect([membership.cgroupIdsOf(2), membership.cgroupIdsOf(3)]).toEqual([new Set([10n]), new Set()]);
  });

  test("put again with another cgroup leaves with the old one", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web));
    membership.putContainer(container("a", 10n, web));
    membership.putContainer(container("a", 11n, web));
    expect(membership.cgroupIdsOf(2)).toEqual(new Set([11n]));
  });

  test("that shares a cgroup with another leaves it there", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web));
    membership.putContainer(container("a", 10n, web));
    expect(membership.putContainer(container("b", 10n, web))).toEqual([]);
    expect(membership.removeContainer("a")).toEqual([]);
    expect(membership.cgroupIdsOf(2)).toEqual(new Set([10n]));
  });
});

describe("a pod's labels", () => {
  test("that change move its containers, and nothing that stays is taken out in between", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about(web));
    membership.putFilter(3, about({ tier: "front" }));
    membership.putContainer(container("a", 10n, { ...web, tier: "front" }));
    const changed = container("a", 10n, { tier: "front" });
    expect(membership.putContainer(changed)).toEqual([
      { kind: "cgroup.removed", filterId: 2, cgroupId: 10n },
    ]);
    expect(membership.putContainer(changed)).toEqual([]);
  });
});

describe("a filter", () => {
  test("that is added finds the existing containers", () => {
    const membership = createFilterMembership();
    membership.putContainer(container("a", 10n, web));
    membership.putContainer(container("b", 11n, { app: "db" }));
    expect(membership.putFilter(2, about(web))).toEqual({
      kind: "filter.put",
      filterId: 2,
      cgroupIds: [10n],
    });
    expect(membership.removeFilter(2)).toEqual([{ kind: "filter.removed", filterId: 2 }]);
    expect(membership.cgroupIdsOf(2)).toBeUndefined();
    expect(membership.removeContainer("a").length).toBe(1);
  });

  test("without selectors has no cgroups, and one for the host has the host marker", () => {
    const membership = createFilterMembership();
    membership.putContainer(container("a", 10n, web));
    const none = { podSelector: undefined, containerSelector: undefined };
    membership.putFilter(2, about({}, none));
    membership.putFilter(3, about({}, { ...none, hostSelector: true }));
    expect([membership.cgroupIdsOf(2), membership.cgroupIdsOf(3)]).toEqual([
      new Set(),
      new Set([HOST_MARKER]),
    ]);
  });

  test("sees the namespace as a label", () => {
    const membership = createFilterMembership();
    membership.putFilter(2, about({ "k8s:io.kubernetes.pod.namespace": "shop" }));
    membership.putContainer(container("a", 10n, {}));
    expect(membership.cgroupIdsOf(2)).toEqual(new Set([10n]));
  });

  test("cannot remove the filter of all pods", () => {
    const membership = createFilterMembership();
    expect(membership.removeFilter(ALL_PODS_ID)).toEqual([]);
    expect([...membership.filterIds()]).toEqual([ALL_PODS_ID]);
  });
});
