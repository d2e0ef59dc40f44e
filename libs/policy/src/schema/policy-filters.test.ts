// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { Filter } from "../filter/filter.ts";
import { matchAll } from "../label-selector.ts";
import { listMatchWorkloads, toFilter } from "./policy-filters.ts";
import { parseTracingPolicy, type TracingPolicy } from "./tracing-policy.ts";

function parse(spec: object, namespace?: string): TracingPolicy {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
    metadata: { name: "a", ...(namespace === undefined ? {} : { namespace }) },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

const web = { matchLabels: { app: "web" } };
const webSelector = { matchLabels: new Map([["app", "web"]]), matchExpressions: [] };
const none = undefined;
const filter = (fields: Partial<Filter>): Filter => ({
  namespace: undefined,
  podSelector: undefined,
  containerSelector: undefined,
  hostSelector: false,
  ...fields,
});

const cluster: readonly (readonly [string, object, Filter | undefined])[] = [
  ["nothing is everything", {}, none],
  ["all three empty are everything", { podSelector: {}, containerSelector: {}, hostSelector: {} }, none],
  [
    "empty parts are empty",
    { podSelector: { matchLabels: {} }, containerSelector: { matchExpressions: [] }, hostSelector: {} },
    none,
  ],
  [
    "pods and host are everything, by the default for containers",
    { podSelector: {}, hostSelector: {} },
    none,
  ],
  [
    "containers and host are everything, by the default for pods",
    { containerSelector: {}, hostSelector: {} },
    none,
  ],
  [
    "pods mean all their containers",
    { podSelector: web },
    filter({ podSelector: webSelector, containerSelector: matchAll }),
  ],
  [
    "containers are those of all pods",
    { containerSelector: web },
    filter({ podSelector: matchAll, containerSelector: webSelector }),
  ],
  [
    "all pods are not the host",
    { podSelector: {}, containerSelector: {} },
    filter({ podSelector: matchAll, containerSelector: matchAll }),
  ],
  ["the host is no pod", { hostSelector: {} }, filter({ hostSelector: true })],
  [
    "the host and some pods",
    { hostSelector: {}, podSelector: web },
    filter({ podSelector: webSelector, containerSelector: matchAll, hostSelector: true }),
  ],
  ["a node is for others to judge", { nodeSelector: web }, none],
];

describe("of the cluster:", () => {
  test.each(cluster)("%s", (_name, spec, expected) => {
    expect(toFilter(parse(spec))).toEqual(expected);
  });
});

const inNamespace: readonly (readonly [string, object, Filter | undefined])[] = [
  [
    "nothing is every container of it",
    {},
    filter({ namespace: "shop", podSelector: matchAll, containerSelector: matchAll }),
  ],
  [
    "empty selectors are no more",
    { podSelector: {}, containerSelector: {} },
    filter({ namespace: "shop", podSelector: matchAll, containerSelector: matchAll }),
  ],
  [
    "pods mean all their containers",
    { podSelector: web },
    filter({ namespace: "shop", podSelector: webSelector, containerSelector: matchAll }),
  ],
  [
    "containers are those of all pods",
    { containerSelector: web },
    filter({ namespace: "shop", podSelector: matchAll, containerSelector: webSelector }),
  ],
];

describe("in a namespace:", () => {
  test.each(inNamespace)("%s", (_name, spec, expected) => {
    expect(toFilter(parse(spec, "shop"))).toEqual(expected);
  });
});

test("matchWorkloads come in their order and are of no namespace", () => {
  const spec = {
    kprobes: [
      { call: "sys_open", selectors: [{}, { matchWorkloads: { podSelector: web } }, { matchWorkloads: {} }] },
      { call: "sys_dup", selectors: [{ matchWorkloads: { hostSelector: {} } }] },
    ],
    lsmhooks: [{ hook: "file_open", selectors: [{ matchWorkloads: { containerSelector: {} } }] }],
  };
  expect(listMatchWorkloads(parse(spec, "shop"))).toEqual([
    {
      hooks: "kprobes",
      hookIndex: 0,
      selectorIndex: 1,
      filter: filter({ podSelector: webSelector, containerSelector: matchAll }),
    },
    { hooks: "kprobes", hookIndex: 0, selectorIndex: 2, filter: none },
    { hooks: "kprobes", hookIndex: 1, selectorIndex: 0, filter: filter({ hostSelector: true }) },
    {
      hooks: "lsmhooks",
      hookIndex: 0,
      selectorIndex: 0,
      filter: filter({ podSelector: matchAll, containerSelector: matchAll }),
    },
  ]);
});
