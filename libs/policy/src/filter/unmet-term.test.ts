// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { type LabelRequirement, type LabelSelector, matchAll } from "../label-selector.ts";
import type { Filter } from "./filter.ts";
import type { FilteredContainer } from "./filtered-container.ts";
import { findUnmetTerm } from "./unmet-term.ts";

const web: FilteredContainer = {
  containerId: "c1",
  containerName: "app",
  image: "registry.example.org/shop/web:1.2",
  cgroupId: 7n,
  podUid: "u",
  podName: "web-0",
  namespace: "shop",
  labels: new Map([
    ["app", "web"],
    ["tier", ""],
  ]),
  hasAllLabels: true,
};
const all: Filter = {
  namespace: undefined,
  podSelector: matchAll,
  containerSelector: matchAll,
  hostSelector: false,
};
const labels = (entries: Readonly<Record<string, string>>): LabelSelector => ({
  matchLabels: new Map(Object.entries(entries)),
  matchExpressions: [],
});
const requires = (...matchExpressions: readonly LabelRequirement[]): LabelSelector => ({
  matchLabels: new Map(),
  matchExpressions,
});
const manyValues = Array.from({ length: 12 }, (_, n) => `v${n}`);
const noPod = { podUid: undefined, podName: "" };

interface Row {
  readonly what: string;
  readonly filter?: Partial<Filter>;
  readonly container?: Partial<FilteredContainer>;
  readonly says: readonly [term: string, found: string] | undefined;
}

test.each<Row>([
  { what: "a filter that matches", filter: { namespace: "shop" }, says: undefined },
  {
    what: "a container of no pod",
    container: noPod,
    says: ["the container belongs to a pod", "it belongs to no pod"],
  },
  {
    what: "a container of no pod, and a filter with a hostSelector",
    container: noPod,
    filter: { hostSelector: true },
    says: ["the container belongs to a pod", "it belongs to no pod, and counts as a process of the host"],
  },
  {
    what: "a filter for the host alone",
    filter: { podSelector: undefined, containerSelector: undefined, hostSelector: true },
    says: ["a process outside of all pods", "a container of a pod"],
  },
  { what: "another namespace", filter: { namespace: "bank" }, says: ["namespace is bank", "shop"] },
  {
    what: "an equal label",
    filter: { podSelector: labels({ tier: "", app: "db" }) },
    says: ["pod label app is db", "app=web"],
  },
  {
    what: "an empty value",
    filter: { podSelector: labels({ app: "" }) },
    says: ['pod label app is ""', "app=web"],
  },
  {
    what: "a label that the pod does not have",
    filter: { podSelector: labels({ zone: "a" }) },
    says: ["pod label zone is a", "the pod has no label zone"],
  },
  {
    what: "a label that is not known yet",
    filter: { podSelector: labels({ zone: "a" }) },
    container: { hasAllLabels: false },
    says: ["pod label zone is a", "the pod has no label zone, as far as its labels are known"],
  },
  {
    what: "In",
    filter: { podSelector: requires({ key: "app", operator: "In", values: ["db", "cache"] }) },
    says: ["pod label app in (db, cache)", "app=web"],
  },
  {
    what: "In with many values",
    filter: { podSelector: requires({ key: "app", operator: "In", values: manyValues }) },
    says: ["pod label app in (v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, and 2 more)", "app=web"],
  },
  {
    what: "NotIn",
    filter: { podSelector: requires({ key: "app", operator: "NotIn", values: ["web"] }) },
    says: ["pod label app not in (web)", "app=web"],
  },
  {
    what: "Exists",
    filter: { podSelector: requires({ key: "zone", operator: "Exists" }) },
    says: ["the pod has the label zone", "the pod has no label zone"],
  },
  {
    what: "DoesNotExist",
    filter: { podSelector: requires({ key: "tier", operator: "DoesNotExist" }) },
    says: ["the pod has no label tier", "tier="],
  },
  {
    what: "the first of several terms",
    filter: {
      podSelector: requires(
        { key: "app", operator: "Exists" },
        { key: "tier", operator: "NotIn", values: ["", "x"] },
        { key: "app", operator: "In", values: ["db"] },
      ),
      containerSelector: labels({ name: "sidecar" }),
    },
    says: ['pod label tier not in ("", x)', "tier="],
  },
  {
    what: "the container's name",
    filter: { containerSelector: requires({ key: "name", operator: "In", values: ["init", "sidecar"] }) },
    says: ["container name in (init, sidecar)", "app"],
  },
  {
    what: "the image's repository",
    filter: { containerSelector: labels({ repo: "registry.example.org/shop/db" }) },
    says: ["image repository is registry.example.org/shop/db", "registry.example.org/shop/web"],
  },
  {
    what: "a container without a name",
    filter: { containerSelector: labels({ name: "app" }) },
    container: { containerName: "" },
    says: ["container name is app", '""'],
  },
  {
    what: "the namespace as a label",
    filter: { podSelector: labels({ "k8s:io.kubernetes.pod.namespace": "bank" }) },
    says: ["pod label k8s:io.kubernetes.pod.namespace is bank", "k8s:io.kubernetes.pod.namespace=shop"],
  },
])("$what", ({ filter, container, says }) => {
  const unmet = findUnmetTerm({ ...all, ...filter }, { ...web, ...container });
  expect(unmet).toEqual(says === undefined ? undefined : { term: says[0], found: says[1] });
});
