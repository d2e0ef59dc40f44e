// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type LabelSelector, matchAll } from "../label-selector.ts";
import {
  ALL_PODS_ID,
  type FilterContainer,
  type FilterDefinition,
  HOST_MARKER,
} from "./filter-definition.ts";
import { createFilterState } from "./filter-state.ts";

const select = (labels: Readonly<Record<string, string>>): LabelSelector => ({
  matchLabels: new Map(Object.entries(labels)),
  matchExpressions: [],
});
const about = (
  labels: Readonly<Record<string, string>>,
  more: Partial<FilterDefinition> = {},
): FilterDefinition => ({
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
  more: Partial<FilterContainer> = {},
): FilterContainer => ({
  containerId,
  cgroupIds: [cgroupId],
  pod: { uid: `pod-of-${containerId}`, namespace: "shop", labels: new Map(Object.entries(labels)) },
  name: "app",
  repo: "registry.example.org/web",
  ...more,
});
const web = { app: "web" };

describe("a container", () => {
  test("joins the policies that it matches, and all pods' entry", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web));
    state.putPolicy(3, about({ app: "db" }));
    expect(state.putContainer(container("a", 10n, web))).toEqual([
      { kind: "cgroup.added", policyId: ALL_PODS_ID, cgroupId: 10n },
      { kind: "cgroup.added", policyId: 2, cgroupId: 10n },
    ]);
    expect(state.putContainer(container("a", 10n, web))).toEqual([]);
    expect(state.removeContainer("a")).toEqual([
      { kind: "cgroup.removed", policyId: ALL_PODS_ID, cgroupId: 10n },
      { kind: "cgroup.removed", policyId: 2, cgroupId: 10n },
    ]);
    expect(state.removeContainer("a")).toEqual([]);
  });

  test("of no pod is in no policy", () => {
    const state = createFilterState();
    state.putPolicy(2, about({}));
    expect(state.putContainer(container("a", 10n, web, { pod: undefined }))).toEqual([]);
  });

  test("of another namespace is not of a namespaced policy", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web, { namespace: "ops" }));
    state.putPolicy(3, about({}, { namespace: "shop" }));
    state.putContainer(container("a", 10n, web));
    expect([state.find(2), state.find(3)]).toEqual([new Set(), new Set([10n])]);
  });

  test("is chosen by its name and the repository of its image too", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web, { containerSelector: select({ name: "app" }) }));
    state.putPolicy(3, about(web, { containerSelector: select({ repo: "elsewhere" }) }));
    state.putContainer(container("a", 10n, web));
    state.putContainer(container("b", 11n, web, { name: "sidecar" }));
    expect([state.find(2), state.find(3)]).toEqual([new Set([10n]), new Set()]);
  });

  test("under the same id with another cgroup takes the old one out", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web));
    state.putContainer(container("a", 10n, web));
    state.putContainer(container("a", 11n, web));
    expect(state.find(2)).toEqual(new Set([11n]));
  });

  test("that shares a cgroup with another leaves it there", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web));
    state.putContainer(container("a", 10n, web));
    expect(state.putContainer(container("b", 10n, web))).toEqual([]);
    expect(state.removeContainer("a")).toEqual([]);
    expect(state.find(2)).toEqual(new Set([10n]));
  });
});

describe("a pod's labels", () => {
  test("that change move its containers, and nothing that stays is taken out in between", () => {
    const state = createFilterState();
    state.putPolicy(2, about(web));
    state.putPolicy(3, about({ tier: "front" }));
    state.putContainer(container("a", 10n, { ...web, tier: "front" }));
    const pod = { uid: "pod-of-a", namespace: "shop", labels: new Map([["tier", "front"]]) };
    expect(state.updatePod(pod)).toEqual([{ kind: "cgroup.removed", policyId: 2, cgroupId: 10n }]);
    expect(state.updatePod(pod)).toEqual([]);
  });
});

describe("a policy", () => {
  test("that comes finds the containers that are there", () => {
    const state = createFilterState();
    state.putContainer(container("a", 10n, web));
    state.putContainer(container("b", 11n, { app: "db" }));
    expect(state.putPolicy(2, about(web))).toEqual({ kind: "policy.put", policyId: 2, cgroupIds: [10n] });
    expect(state.removePolicy(2)).toEqual([{ kind: "policy.removed", policyId: 2 }]);
    expect(state.find(2)).toBeUndefined();
    expect(state.removeContainer("a").length).toBe(1);
  });

  test("without selectors is about nothing, and one for the host has the host's mark", () => {
    const state = createFilterState();
    state.putContainer(container("a", 10n, web));
    const none = { podSelector: undefined, containerSelector: undefined };
    state.putPolicy(2, about({}, none));
    state.putPolicy(3, about({}, { ...none, hostSelector: true }));
    expect([state.find(2), state.find(3)]).toEqual([new Set(), new Set([HOST_MARKER])]);
  });

  test("sees the namespace as a label", () => {
    const state = createFilterState();
    state.putPolicy(2, about({ "k8s:io.kubernetes.pod.namespace": "shop" }));
    state.putContainer(container("a", 10n, {}));
    expect(state.find(2)).toEqual(new Set([10n]));
  });

  test("has no way to the entry of all pods", () => {
    const state = createFilterState();
    expect(state.removePolicy(ALL_PODS_ID)).toEqual([]);
    expect([...state.policyIds()]).toEqual([ALL_PODS_ID]);
  });
});
