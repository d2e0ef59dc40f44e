// SPDX-License-Identifier: Apache-2.0
// The CustomResourceDefinitions of policies: what an API server accepts by them is what the agent accepts by shape.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseTracingPolicy, renderProblem } from "@rthooks/policy";
import {
  type CustomResourceDefinition,
  type OpenApiSchema,
  tracingPolicyCrd,
  tracingPolicyNamespacedCrd,
} from "@rthooks/policy/crd";
import fc from "fast-check";
import { parse } from "yaml";
import { type CrdValidator, createCrdValidator } from "../harness/crd-validation.ts";
import { change, listPlaces } from "./document-places.ts";
import { policyFiles } from "./policy-files.ts";

const crds: readonly CustomResourceDefinition[] = [tracingPolicyCrd, tracingPolicyNamespacedCrd];
const validators = new Map(crds.map((crd) => [crd.spec.names.kind, createCrdValidator(crd)]));

function findValidator(document: unknown): CrdValidator {
  const kind = String(Object(document).kind);
  const validator = validators.get(kind);
  if (validator === undefined) throw new Error(`no CRD has the kind ${kind}`);
  return validator;
}

const examples = join(import.meta.dir, "../../examples");
const published: readonly (readonly [string, unknown])[] = [
  ...policyFiles.map(({ name, document }) => [name, document] as const),
  ...readdirSync(examples).map((name) => [name, parse(readFileSync(join(examples, name), "utf8"))] as const),
];

test.each(published)("%s is accepted", (_name, document) => {
  expect(findValidator(document)(document)).toEqual([]);
});

test("names, scopes and versions are those that clients and charts of Tetragon know", () => {
  const names = crds.map(({ metadata, spec }) => [metadata.name, spec.scope, spec.names]);
  expect(names).toEqual([
    [
      "tracingpolicies.cilium.io",
      "Cluster",
      {
        ...{ kind: "TracingPolicy", listKind: "TracingPolicyList" },
        ...{ plural: "tracingpolicies", singular: "tracingpolicy" },
        ...{ shortNames: ["tgtp"], categories: ["tetragon"] },
      },
    ],
    [
      "tracingpoliciesnamespaced.cilium.io",
      "Namespaced",
      {
        ...{ kind: "TracingPolicyNamespaced", listKind: "TracingPolicyNamespacedList" },
        ...{ plural: "tracingpoliciesnamespaced", singular: "tracingpolicynamespaced" },
        ...{ shortNames: ["tgtpn"], categories: ["tetragon"] },
      },
    ],
  ]);
  for (const { metadata, spec } of crds) {
    expect(metadata.labels).toEqual({ "cilium.io.k8s.crd.schema.version": "1.8.13" });
    expect(spec.versions.map(({ name, served, storage }) => [name, served, storage])).toEqual([
      ["v1alpha1", true, true],
    ]);
  }
});

/** Keywords of a structural schema that the CRDs use, by the type where they are allowed. */
const keywords: Readonly<Record<OpenApiSchema["type"], readonly string[]>> = {
  object: [
    ...["properties", "required", "additionalProperties", "maxProperties"],
    ...["x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"],
  ],
  array: ["items", "maxItems"],
  string: ["enum", "minLength", "maxLength", "pattern"],
  integer: ["minimum", "maximum", "format"],
  boolean: [],
};

function judgeStructure(schema: OpenApiSchema, path: string): readonly string[] {
  const allowed = ["type", "description", "default", ...keywords[schema.type]];
  const faults = Object.keys(schema)
    .filter((key) => !allowed.includes(key))
    .map((key) => `${path}: ${key} with type ${schema.type}`);
  const { properties, additionalProperties, items, required = [] } = schema;
  if (properties !== undefined && additionalProperties !== undefined)
    faults.push(`${path}: properties and others`);
  if (schema.type === "array" && items === undefined) faults.push(`${path}: no items`);
  faults.push(
    ...required.filter((name) => properties?.[name] === undefined).map((name) => `${path}: no ${name}`),
  );
  const inner = [
    ...Object.entries(properties ?? {}).map(([name, member]) => [`${path}.${name}`, member] as const),
    ...(items === undefined ? [] : [[`${path}[]`, items] as const]),
    ...(additionalProperties === undefined ? [] : [[`${path}{}`, additionalProperties] as const]),
  ];
  return [...faults, ...inner.flatMap(([at, member]) => judgeStructure(member, at))];
}

test.each(crds.map((crd) => [crd.metadata.name, crd] as const))("%s is a structural schema", (_name, crd) => {
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error("no schema");
  expect(judgeStructure(schema, "")).toEqual([]);
  // Longer, and `kubectl apply` could not keep the object in an annotation.
  expect(JSON.stringify(crd).length).toBeLessThan(262_144);
});

const policy = (spec: object, kind = "TracingPolicy") => ({
  ...{ apiVersion: "cilium.io/v1alpha1", kind },
  metadata: { name: "p", ...(kind === "TracingPolicy" ? {} : { namespace: "shop" }) },
  spec,
});
const kprobe = (fields: object) => policy({ kprobes: [{ call: "sys_write", ...fields }] });
const action = (fields: object) => kprobe({ selectors: [{ matchActions: [fields] }] });
const namespaced = (spec: object) => policy(spec, "TracingPolicyNamespaced");

describe("agent and API server refuse", () => {
  test.each<[string, object]>([
    ["an unknown field", kprobe({ argz: [] })],
    ["a number for a text", kprobe({ selectors: [{ matchBinaries: [{ operator: "In", values: [1] }] }] })],
    ["a text for a list", policy({ kprobes: "sys_write" })],
    ["a hook without its call", policy({ kprobes: [{ syscall: true }] })],
    ["an empty call", kprobe({ call: "" })],
    ["an unknown type", kprobe({ args: [{ index: 0, type: "strng" }] })],
    ["a negative index", kprobe({ args: [{ index: -1 }] })],
    ["an index beyond 32 bits", kprobe({ args: [{ index: 2 ** 31 }] })],
    ["a fraction", kprobe({ args: [{ index: 0.5 }] })],
    ["an unknown operator", kprobe({ selectors: [{ matchPIDs: [{ operator: "Equal", values: [1] }] }] })],
    ["an unknown action", action({ action: "Kill" })],
    ["four actions", kprobe({ selectors: [{ matchActions: Array(4).fill({ action: "Post" }) }] })],
    ["six selectors", kprobe({ selectors: Array(6).fill({}) })],
    ["a rate limit of days", action({ action: "Post", rateLimit: "5d" })],
    ["two new targets", action({ action: "Override", argNewSymbol: "f", argNewAddr: 1 })],
    ["a return value without its type", kprobe({ return: true })],
    ["a host selector with labels", policy({ hostSelector: { matchLabels: { a: "b" } } })],
    ["a label value of 64 characters", policy({ podSelector: { matchLabels: { a: "x".repeat(64) } } })],
    ["a label value with a space", policy({ podSelector: { matchLabels: { a: "x y" } } })],
    ["symbols and offsets", policy({ uprobes: [{ path: "/bin/sh", symbols: ["main"], offsets: [1] }] })],
    ["two enforcers", policy({ enforcers: [{ calls: ["sys_write"] }, { calls: ["sys_read"] }] })],
    ["a host selector in a namespace", namespaced({ hostSelector: {} })],
    ["uprobes in a namespace", namespaced({ uprobes: [{ path: "/bin/sh", symbols: ["main"] }] })],
    ["no spec", { ...policy({}), spec: undefined }],
  ])("%s", (_name, document) => {
    const json: unknown = JSON.parse(JSON.stringify(document));
    expect(findValidator(json)(json)).not.toEqual([]);
    expect(parseTracingPolicy(json).ok).toBe(false);
  });

  test("not what is left out, null or empty", () => {
    const nothing = { kprobes: null, podSelector: null, options: [], hostSelector: null };
    const empty = { uprobes: [{ path: "/bin/sh", symbols: ["main"], offsets: [], addrs: null }] };
    for (const document of [policy(nothing), policy(empty), namespaced(nothing)]) {
      expect(findValidator(document)(document)).toEqual([]);
      expect(parseTracingPolicy(document).ok).toBe(true);
    }
  });
});

/** Messages about one value alone; nulls in maps are removed by the API server. */
const isOfShape = (message: string): boolean =>
  /^(unknown field|is required$|must be (a string|true or false|a whole number|a list|an object|[\w, ]+ or \w+), not|must have at most \d+ entr(y|ies), not)/.test(
    message,
  ) && !message.endsWith("not null");

test("whatever is changed in a policy: what the agent accepts is stored, and what has a wrong shape is not", () => {
  const places = published.flatMap(([, document]) =>
    listPlaces(document)
      .filter(({ path }) => path[0] === "spec" && path.length > 1)
      .map(({ path }) => ({ document, path })),
  );
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(null, true, "", "In", "5m", 0, 7, -1, 1.5, 2 ** 40, [], [{}], {}, { index: 1 }),
  );
  const seen = { accepted: 0, misshapen: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...places), values, ({ document, path }, value) => {
      const changed = change(document, path, () => value);
      const faults = findValidator(changed)(changed);
      const parsed = parseTracingPolicy(changed);
      if (parsed.ok) {
        seen.accepted++;
        expect(faults).toEqual([]);
      } else if (parsed.error.some(({ message }) => isOfShape(message))) {
        seen.misshapen++;
        expect({ faults, problems: parsed.error.map(renderProblem) }).not.toMatchObject({ faults: [] });
      }
    }),
    { numRuns: 3_000 },
  );
  expect(seen.accepted).toBeGreaterThan(100);
  expect(seen.misshapen).toBeGreaterThan(1_000);
});
