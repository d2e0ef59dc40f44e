// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { matchesSelector } from "../label-selector.ts";
import { renderProblem } from "./policy-problem.ts";
import { parseTracingPolicy } from "./tracing-policy.ts";

const parse = (spec: unknown) =>
  parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "a" },
    spec,
  });
const problemsOf = (podSelector: unknown): readonly string[] => {
  const parsed = parse({ podSelector });
  return parsed.ok ? [] : parsed.error.map(renderProblem);
};
const label = (key: string, value: unknown = "a"): object => ({ matchLabels: { [key]: value } });
const require = (requirement: object): object => ({ matchExpressions: [requirement] });

const keyRule =
  "must be a label key (name or prefix/name: the name as in a label value, the prefix a DNS subdomain), not";
const valueRule =
  "must be a label value (at most 63 of A-Z a-z 0-9 - _ . with a letter or digit at both ends), not";

const rows: readonly (readonly [string, unknown, readonly string[]])[] = [
  ["a list", [], ["spec.podSelector: must be an object, not a list"]],
  [
    "labels beside matchLabels",
    { app: "web" },
    ["spec.podSelector.app: unknown field; known here: matchLabels or matchExpressions"],
  ],
  [
    "a list of labels",
    { matchLabels: ["a"] },
    ["spec.podSelector.matchLabels: must be an object, not a list"],
  ],
  [
    "a number",
    label("app", 1),
    ['spec.podSelector.matchLabels.app: must be a string, not the number 1; write "1"'],
  ],
  ["no value", label("app", null), ["spec.podSelector.matchLabels.app: must be a string, not null"]],
  ["a slash in a value", label("app", "a/b"), [`spec.podSelector.matchLabels.app: ${valueRule} "a/b"`]],
  [
    "a value of 64",
    label("app", "a".repeat(64)),
    [`spec.podSelector.matchLabels.app: ${valueRule} "${"a".repeat(40)}..."`],
  ],
  ["an empty key", label(""), [`spec.podSelector.matchLabels[""]: ${keyRule} ""`]],
  ["a key that ends in a point", label("app."), [`spec.podSelector.matchLabels["app."]: ${keyRule} "app."`]],
  [
    "a key of 64",
    label("a".repeat(64)),
    [`spec.podSelector.matchLabels["${"a".repeat(64)}"]: ${keyRule} "${"a".repeat(40)}..."`],
  ],
  ["two prefixes", label("a/b/c"), [`spec.podSelector.matchLabels["a/b/c"]: ${keyRule} "a/b/c"`]],
  ["an empty prefix", label("/c"), [`spec.podSelector.matchLabels["/c"]: ${keyRule} "/c"`]],
  [
    "a prefix with capitals",
    label("A.io/c"),
    [`spec.podSelector.matchLabels["A.io/c"]: ${keyRule} "A.io/c"`],
  ],
  [
    "another pseudo label",
    label("k8s:app"),
    [`spec.podSelector.matchLabels["k8s:app"]: ${keyRule} "k8s:app"`],
  ],
  ["no operator", require({ key: "app" }), ["spec.podSelector.matchExpressions[0].operator: is required"]],
  [
    "an operator of filters",
    require({ key: "app", operator: "Equal", values: ["a"] }),
    ['spec.podSelector.matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist, not "Equal"'],
  ],
  [
    "In nothing",
    require({ key: "app", operator: "In", values: [] }),
    ["spec.podSelector.matchExpressions[0].values: must not be empty with In"],
  ],
  [
    "NotIn, no values",
    require({ key: "app", operator: "NotIn" }),
    ["spec.podSelector.matchExpressions[0].values: must not be empty with NotIn"],
  ],
  [
    "Exists with values",
    require({ key: "app", operator: "Exists", values: ["a"] }),
    ["spec.podSelector.matchExpressions[0].values: must be left out with Exists"],
  ],
  [
    "a wrong key and a wrong value",
    require({ key: "a b", operator: "In", values: ["a", "-"] }),
    [
      `spec.podSelector.matchExpressions[0].key: ${keyRule} "a b"`,
      `spec.podSelector.matchExpressions[0].values[1]: ${valueRule} "-"`,
    ],
  ],
];

describe("a label selector is refused for", () => {
  test.each(rows)("%s", (_name, selector, problems) => {
    expect(problemsOf(selector)).toEqual(problems);
  });
});

test("keys and values of Kubernetes are taken", () => {
  const keys = [
    "a",
    "A_b.c-1",
    "app.kubernetes.io/name",
    `${"a".repeat(63)}`,
    "k8s:io.kubernetes.pod.namespace",
  ];
  for (const key of keys) expect(problemsOf(label(key, ""))).toEqual([]);
  for (const value of ["", "a", "1.2_3-4", "a".repeat(63)])
    expect(problemsOf(label("app", value))).toEqual([]);
});

test("a selector means what it says", () => {
  const parsed = parse({
    podSelector: {
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "NotIn", values: ["test"] },
        { key: "canary", operator: "DoesNotExist" },
      ],
    },
  });
  const selector = parsed.ok ? parsed.value.spec.podSelector : undefined;
  expect(selector).toEqual({
    matchLabels: new Map([["app", "web"]]),
    matchExpressions: [
      { key: "tier", operator: "NotIn", values: ["test"] },
      { key: "canary", operator: "DoesNotExist" },
    ],
  });
  expect(selector !== undefined && matchesSelector(selector, new Map([["app", "web"]]))).toBe(true);
});

test("images are no label values, and a containerSelector may list them", () => {
  const selector = require({ key: "repo", operator: "In", values: ["registry.example/team/app"] });
  expect(parse({ containerSelector: selector }).ok).toBe(true);
  expect(parse({ podSelector: selector }).ok).toBe(false);
});
