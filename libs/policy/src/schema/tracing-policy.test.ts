// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { renderProblem } from "./policy-problem.ts";
import { parseTracingPolicy } from "./tracing-policy.ts";

const document = {
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name: "watch" },
  spec: {},
};
const namespaced = {
  ...document,
  kind: "TracingPolicyNamespaced",
  metadata: { name: "watch", namespace: "shop" },
};

const problemsOf = (value: unknown): readonly string[] => {
  const parsed = parseTracingPolicy(value);
  return parsed.ok ? [] : parsed.error.map(renderProblem);
};

const subdomain = "at most 253 of a-z 0-9 - . with a letter or digit at both ends";
const bad: readonly (readonly [string, unknown, readonly string[]])[] = [
  ["no document", undefined, [".: must be an object, not nothing"]],
  ["null", null, [".: must be an object, not null"]],
  ["a text", "kind: TracingPolicy", ['.: must be an object, not "kind: TracingPolicy"']],
  ["a list", [document], [".: must be an object, not a list"]],
  ["no kind", {}, ["kind: unknown CRD kind: nothing; must be TracingPolicy or TracingPolicyNamespaced"]],
  [
    "a kind of another group",
    { ...document, kind: "PodInfo" },
    ["kind: unknown CRD kind: PodInfo; must be TracingPolicy or TracingPolicyNamespaced"],
  ],
  [
    "a kind of more than one line",
    { ...document, kind: "a\nb" },
    ['kind: unknown CRD kind: "a\\nb"; must be TracingPolicy or TracingPolicyNamespaced'],
  ],
  [
    "another version",
    { ...document, apiVersion: "cilium.io/v1" },
    ['apiVersion: must be cilium.io/v1alpha1, not "cilium.io/v1"'],
  ],
  [
    "only a kind",
    { kind: "TracingPolicy" },
    ["apiVersion: is required", "metadata: is required", "spec: is required"],
  ],
  [
    "null where something must be",
    { ...document, metadata: null, spec: null },
    ["metadata: is required", "spec: is required"],
  ],
  ["no name", { ...document, metadata: {} }, ["metadata.name: is required"]],
  [
    "a name with capitals",
    { ...document, metadata: { name: "Watch" } },
    [`metadata.name: must be a DNS subdomain (${subdomain}), not "Watch"`],
  ],
  [
    "a name that ends in a point",
    { ...document, metadata: { name: "watch." } },
    [`metadata.name: must be a DNS subdomain (${subdomain}), not "watch."`],
  ],
  [
    "a name of 254",
    { ...document, metadata: { name: "a".repeat(254) } },
    [`metadata.name: must be a DNS subdomain (${subdomain}), not "${"a".repeat(40)}..."`],
  ],
  [
    "a namespace for the cluster",
    { ...document, metadata: { name: "watch", namespace: "shop" } },
    ["metadata.namespace: must be left out: a TracingPolicy is cluster-wide, see TracingPolicyNamespaced"],
  ],
  [
    "no namespace where one is needed",
    { ...namespaced, metadata: { name: "watch" } },
    ["metadata.namespace: is required"],
  ],
  [
    "a namespace with a point",
    { ...namespaced, metadata: { name: "watch", namespace: "a.b" } },
    [
      "metadata.namespace: must be a DNS label (at most 63 of a-z 0-9 - with a letter or digit at both ends), " +
        'not "a.b"',
    ],
  ],
  [
    "a slip in the metadata",
    { ...document, metadata: { name: "watch", label: {} } },
    ["metadata.label: unknown field; did you mean labels?"],
  ],
  [
    "a field that no version has",
    { ...document, status: {} },
    ["status: unknown field; known here: apiVersion, kind, metadata or spec"],
  ],
  [
    "names that every object has",
    JSON.parse(
      '{"apiVersion":"cilium.io/v1alpha1","kind":"TracingPolicy","metadata":{"name":"a"},"spec":{"options":[{"name":"a","__proto__":1,"constructor":2}]}}',
    ),
    [
      "spec.options[0].__proto__: unknown field; known here: name or value",
      "spec.options[0].constructor: unknown field; known here: name or value",
    ],
  ],
  [
    "a host in a namespace",
    { ...namespaced, spec: { hostSelector: {} } },
    ["spec.hostSelector: must be left out: a namespace has no host"],
  ],
  [
    "programs in a namespace",
    {
      ...namespaced,
      spec: {
        uprobes: [{ path: "/bin/sh", symbols: ["main"] }],
        usdts: [{ path: "/bin/sh", provider: "a", name: "b" }],
      },
    },
    [
      "spec.uprobes: must be left out: hooks into programs are not confined to a namespace",
      "spec.usdts: must be left out: hooks into programs are not confined to a namespace",
    ],
  ],
];

describe("a document is refused for", () => {
  test.each(bad)("%s", (_name, value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });
});

test("everything that is wrong is told, also rules beside a wrong field", () => {
  const value = {
    ...namespaced,
    apiVersion: 1,
    spec: { hostSelector: {}, podSelectr: {}, kprobes: [{ return: true }], enforcers: {} },
  };
  expect(problemsOf(value)).toEqual([
    "apiVersion: must be cilium.io/v1alpha1, not the number 1",
    "spec.podSelectr: unknown field; did you mean podSelector?",
    "spec.kprobes[0].call: is required",
    "spec.kprobes[0].returnArg: is required with return: true",
    "spec.enforcers: must be a list, not an object",
    "spec.hostSelector: must be left out: a namespace has no host",
  ]);
});

test("twenty problems are enough", () => {
  const many = Array.from({ length: 5_000 }, () => ({ wrong: 1 }));
  expect(problemsOf({ ...document, spec: { kprobes: many, tracepoints: many } })).toHaveLength(20);
  const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key${index}`, 1]));
  expect(problemsOf({ ...document, ...keys })).toHaveLength(20);
});

test("what the API server adds is no matter", () => {
  const metadata = {
    name: "watch.all",
    uid: "5d",
    resourceVersion: "12",
    generation: 1,
    creationTimestamp: null,
    labels: { "any/thing": 1 },
    annotations: {},
    ownerReferences: [],
    finalizers: [],
    managedFields: [{ manager: "kubectl", fieldsV1: { "f:spec": {} } }],
  };
  expect(parseTracingPolicy({ ...document, metadata })).toMatchObject({
    ok: true,
    value: { kind: "TracingPolicy", name: "watch.all", namespace: undefined, warnings: [] },
  });
});

test("a namespace is the one written, then the default", () => {
  const unnamed = { ...namespaced, metadata: { name: "watch" } };
  const options = { defaultNamespace: "default" };
  expect(parseTracingPolicy(namespaced, options)).toMatchObject({ value: { namespace: "shop" } });
  expect(parseTracingPolicy(unnamed, options)).toMatchObject({ value: { namespace: "default" } });
  expect(parseTracingPolicy(document, options)).toMatchObject({ value: { namespace: undefined } });
});

test("null is nothing", () => {
  const spec = {
    kprobes: [{ call: "sys_open", args: null, message: null }],
    podSelector: null,
    hostSelector: null,
  };
  expect(parseTracingPolicy({ ...document, spec })).toMatchObject({
    ok: true,
    value: { spec: { kprobes: [{ args: [] }], podSelector: undefined, hostSelector: false } },
  });
});
