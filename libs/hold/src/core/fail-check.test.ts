// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import { compileExpression } from "./cel-expression.ts";
import { decideFailure, type FailRules } from "./fail-check.ts";
import { compilePattern } from "./namespace-pattern.ts";

const key = "io.kubernetes.pod.namespace";
const rules: FailRules = {
  namespaceKeys: [key, "other"],
  allowNamespaces: ["kube-system"],
  allowPatterns: [],
  expression: undefined,
};
const pattern = (text: string) => {
  const compiled = compilePattern(text);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value;
};
const denied = { allowed: false, denial: "failCheck determined that we should fail" } as const;
const allowed = { allowed: true } as const;

describe("the truth table", () => {
  test.each([
    { what: "a listed namespace", change: {}, annotations: { [key]: "kube-system" }, verdict: allowed },
    {
      what: "a listed namespace in the second key",
      change: {},
      annotations: { other: "kube-system" },
      verdict: allowed,
    },
    {
      what: "a listed namespace in each key",
      change: { allowPatterns: [pattern("^team-")] },
      annotations: { [key]: "team-7", other: "kube-system" },
      verdict: allowed,
    },
    {
      what: "a listed namespace in the second key and another in the first",
      change: {},
      annotations: { [key]: "shop", other: "kube-system" },
      verdict: denied,
    },
    {
      what: "a listed namespace in the first key and another in the second",
      change: { allowPatterns: [pattern("^kube-")] },
      annotations: { [key]: "kube-system", other: "shop" },
      verdict: denied,
    },
    {
      what: "a listed namespace and an empty one",
      change: {},
      annotations: { [key]: "kube-system", other: "" },
      verdict: denied,
    },
    { what: "another namespace", change: {}, annotations: { [key]: "shop" }, verdict: denied },
    {
      what: "a name that only contains a listed one",
      change: {},
      annotations: { [key]: "kube-system2" },
      verdict: denied,
    },
    { what: "no key", change: {}, annotations: { namespace: "kube-system" }, verdict: denied },
    { what: "no annotations", change: {}, annotations: {}, verdict: denied },
    {
      what: "a pattern that matches",
      change: { allowPatterns: [pattern("^team-[0-9]+$")] },
      annotations: { [key]: "team-7" },
      verdict: allowed,
    },
    {
      what: "a pattern that matches in the middle",
      change: { allowPatterns: [pattern("team")] },
      annotations: { [key]: "my-team-7" },
      verdict: allowed,
    },
    {
      what: "a pattern that does not match",
      change: { allowPatterns: [pattern("^team$")] },
      annotations: { [key]: "steam" },
      verdict: denied,
    },
    {
      what: "a pattern for anything, but no key",
      change: { allowPatterns: [pattern(".*")] },
      annotations: {},
      verdict: denied,
    },
    {
      what: "an expression that is true",
      change: { expression: () => ok(true) },
      annotations: { [key]: "kube-system" },
      verdict: denied,
    },
    {
      what: "an expression that is false",
      change: { expression: () => ok(false) },
      annotations: {},
      verdict: allowed,
    },
    {
      what: "an expression that fails",
      change: { expression: () => err("no such key") },
      annotations: { [key]: "kube-system" },
      verdict: { allowed: false, denial: "failed to run failCheck: no such key" },
    },
  ])("$what", ({ change, annotations, verdict }) => {
    expect(decideFailure({ ...rules, ...change }, new Map(Object.entries(annotations)))).toEqual(verdict);
  });
});

test("a namespace that someone else may have written can deny, and never allow", () => {
  const decide = (annotations: Record<string, string>, written: Record<string, string>) =>
    decideFailure(rules, new Map(Object.entries(annotations)), new Map(Object.entries(written)));
  expect(decide({ [key]: "kube-system" }, { other: "shop" })).toEqual(denied);
  expect(decide({ [key]: "kube-system" }, { other: "kube-system" })).toEqual(allowed);
  expect(decide({ [key]: "kube-system" }, {})).toEqual(allowed);
  expect(decide({}, { [key]: "kube-system", other: "kube-system" })).toEqual(denied);
  expect(decide({ [key]: "shop" }, { other: "kube-system" })).toEqual(denied);
});

describe("the CEL expression", () => {
  const run = (text: string, annotations: Record<string, string>) => {
    const compiled = compileExpression(text, [key, "other"]);
    return compiled.ok ? compiled.value(new Map(Object.entries(annotations))) : compiled;
  };

  test.each([
    { text: `annotations["${key}"] != "kube-system"`, annotations: { [key]: "kube-system" }, value: false },
    { text: `annotations["${key}"] != "kube-system"`, annotations: { [key]: "shop" }, value: true },
    { text: `!("${key}" in annotations)`, annotations: {}, value: true },
    {
      text: `annotations["${key}"] == "a" && annotations["other"] == "b"`,
      annotations: { [key]: "a", other: "b" },
      value: true,
    },
    {
      text: `annotations_namespace_keys.exists(k, k in annotations && annotations[k] == "x")`,
      annotations: { other: "x" },
      value: true,
    },
    { text: `annotations_namespace_key.size() == 2`, annotations: {}, value: true },
    {
      text: `annotations.exists(k, annotations[k].matches("^(a+)+$"))`,
      annotations: { a: `${"a".repeat(60)}!` },
      value: false,
    },
    { text: "true", annotations: {}, value: true },
  ])("$text with $annotations", ({ text, annotations, value }) => {
    expect(run(text, annotations)).toEqual(ok(value));
  });

  test("fails on an annotation that is not there", () => {
    expect(run('annotations["a"] == "x"', {}).ok).toBe(false);
  });

  test.each(["(((", "", "nope == 1", "annotations.foo(1)", "1 + 1", '"text"'])(
    "%p is refused when it is read",
    (text) => {
      expect(compileExpression(text, [key]).ok).toBe(false);
    },
  );
});

test.each(["([", "a**", "(?=x)"])("the pattern %p is refused when it is read", (text) => {
  expect(compilePattern(text).ok).toBe(false);
});

test("a pattern takes linear time on a text made to hurt", () => {
  expect(pattern("^(a+)+$").test(`${"a".repeat(50_000)}!`)).toBe(false);
});
