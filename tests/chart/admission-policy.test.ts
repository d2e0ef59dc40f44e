// SPDX-License-Identifier: Apache-2.0
// The ValidatingAdmissionPolicy, evaluated as the API server does: its variables in their order, then its rules.
import { expect, test } from "bun:test";
import { type CelInput, CelScalar, celEnv, parse, plan } from "@bufbuild/cel";
import { findObject, type KubeObject, podTemplate, renderObjects } from "./helm.ts";

const key = "tolerate-missing-plugins.rthooks.v1";
const objects = renderObjects(
  {
    rthooks: {
      enabled: true,
      interface: "nri-hook",
      failAllowNamespaces: "monitoring",
      failAllowNamespacesRegex: ["^infra-[a-z]{1,3}$", "quote'\"\\\\"],
    },
  },
  { namespace: "security" },
);
const name = "security-tetragon-rthooks-tolerate";
const policy = findObject(objects, "ValidatingAdmissionPolicy", name);

interface PolicySpec {
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
  readonly matchConstraints: {
    readonly resourceRules: readonly { readonly resources: readonly string[] }[];
  };
}
// Its form was validated by render.test.ts.
const spec = policy["spec"] as PolicySpec;

interface Request {
  readonly namespace: string;
  readonly object: object;
  readonly oldObject?: object;
}

/** The library does not know `.?`: an optional field is asked for with has() here, which is the same for these expressions. */
function toPlain(expression: string): string {
  return expression.replace(/(\w+)\.\?([\w.]+)\.orValue\(\{\}\)/g, (_, root: string, path: string) => {
    const parts = path.split(".");
    const tests = parts.map((_part, at) => `has(${root}.${parts.slice(0, at + 1).join(".")})`);
    return `(${tests.join(" && ")} ? ${root}.${path} : {})`;
  });
}

const env = celEnv({
  variables: {
    object: CelScalar.DYN,
    oldObject: CelScalar.DYN,
    request: CelScalar.DYN,
    variables: CelScalar.DYN,
  },
});

function isAllowed({ namespace, object, oldObject }: Request): boolean {
  const variables: Record<string, CelInput> = {};
  const toInput = (value: object | null): CelInput => value as CelInput; // JSON
  const bindings = {
    ...{ object: toInput(object), oldObject: toInput(oldObject ?? null) },
    ...{ request: toInput({ namespace }), variables: toInput(variables) },
  };
  for (const variable of spec.variables) {
    variables[variable.name] = plan(env, parse(toPlain(variable.expression)))(bindings) as CelInput;
  }
  return spec.validations.every(({ expression }) => {
    const value = plan(env, parse(expression))(bindings);
    if (typeof value !== "boolean") throw new Error(`${expression}: ${String(value)}`);
    return value;
  });
}

const pod = (annotations?: object): object => ({
  kind: "Pod",
  metadata: { name: "p", ...(annotations === undefined ? {} : { annotations }) },
  spec: {},
});
const template = (annotations: object): object => ({ metadata: { annotations }, spec: {} });
const tolerating = { [key]: "true" };

test.each([
  { namespace: "kube-system", isIn: true },
  { namespace: "security", isIn: true },
  { namespace: "monitoring", isIn: true },
  { namespace: "infra-dns", isIn: true },
  { namespace: "infra-long", isIn: false },
  { namespace: "shop", isIn: false },
  { namespace: "kube-system-2", isIn: false },
  { namespace: "default", isIn: false },
])("a pod of $namespace may tolerate a missing plugin: $isIn", ({ namespace, isIn }) => {
  expect(isAllowed({ namespace, object: pod(tolerating) })).toBe(isIn);
});

test.each([
  { name: "for one container", annotations: { [`${key}/container.app`]: "true" } },
  { name: "for the pod", annotations: { [`${key}/pod`]: "true" } },
  { name: "beside others", annotations: { a: "b", [key]: "1" } },
  { name: "false", annotations: { [key]: "false" } },
])("every form of the annotation counts: $name", ({ annotations }) => {
  expect(isAllowed({ namespace: "shop", object: pod(annotations) })).toBe(false);
});

test.each([
  { name: "no annotations", object: pod() },
  { name: "empty annotations", object: pod({}) },
  { name: "other annotations", object: pod({ [`${key}x`]: "true", other: "x" }) },
  { name: "no metadata", object: { kind: "Pod" } },
])("other pods are not affected: $name", ({ object }) => {
  expect(isAllowed({ namespace: "shop", object })).toBe(true);
});

const templates = (annotations: object): readonly (readonly [string, object])[] => [
  ...["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController", "Job"].map(
    (kind) => [kind, { kind, metadata: {}, spec: { template: template(annotations) } }] as const, // const: a pair
  ),
  ["CronJob", { kind: "CronJob", spec: { jobTemplate: { spec: { template: template(annotations) } } } }],
  ["PodTemplate", { kind: "PodTemplate", template: template(annotations) }],
];

test.each(templates(tolerating))("a template of a %s is refused, too", (_kind, object) => {
  expect(isAllowed({ namespace: "shop", object })).toBe(false);
  expect(isAllowed({ namespace: "kube-system", object })).toBe(true);
});

test.each(templates({ a: "b" }))("another template of a %s is not", (_kind, object) => {
  expect(isAllowed({ namespace: "shop", object })).toBe(true);
});

test.each([
  { name: "kept", before: tolerating, after: tolerating, isFine: true },
  { name: "removed", before: tolerating, after: {}, isFine: true },
  { name: "added", before: {}, after: tolerating, isFine: false },
  { name: "changed", before: { [key]: "false" }, after: tolerating, isFine: false },
  {
    name: "another form added",
    before: tolerating,
    after: { ...tolerating, [`${key}/pod`]: "true" },
    isFine: false,
  },
])("an update of a pod that had it before: $name", ({ before, after, isFine }) => {
  const request = { namespace: "shop", object: pod(after), oldObject: pod(before) };
  expect(isAllowed(request)).toBe(isFine);
});

test("the binding denies, everywhere; the policy is about each kind that makes pods", () => {
  expect(findObject(objects, "ValidatingAdmissionPolicyBinding", name)["spec"]).toEqual({
    policyName: name,
    validationActions: ["Deny"],
  });
  expect(spec.matchConstraints.resourceRules.flatMap(({ resources }) => resources).sort()).toEqual([
    ...["cronjobs", "daemonsets", "deployments", "jobs", "pods", "podtemplates", "replicasets"],
    ...["replicationcontrollers", "statefulsets"],
  ]);
  expect(policy["spec"]).toMatchObject({ failurePolicy: "Fail" });
});

test("the chart's own pods have the annotation, and need it only with the plugin", () => {
  const own = (all: readonly KubeObject[], release = "tetragon"): readonly unknown[] =>
    [
      ["DaemonSet", release],
      ["DaemonSet", `${release}-rthooks`],
      ["Deployment", `${release}-operator`],
    ].map(([kind = "", one = ""]) => podTemplate(findObject(all, kind, one)).metadata.annotations?.[key]);
  expect(own(objects)).toEqual(["true", "true", "true"]);
  const hooks = renderObjects({ rthooks: { enabled: true, interface: "oci-hooks" } });
  expect(own(hooks)).toEqual([undefined, undefined, undefined]);
  expect(hooks.some(({ kind }) => kind === "ValidatingAdmissionPolicy")).toBe(false);
});
