// SPDX-License-Identifier: Apache-2.0
// Every case is linted by Helm, and its objects are validated against Kubernetes' OpenAPI schemas.
import { afterAll, expect, test } from "bun:test";
import * as monitoring from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import * as admission from "kubernetes-models/admissionregistration.k8s.io/v1";
import * as extensions from "kubernetes-models/apiextensions.k8s.io/v1";
import * as apps from "kubernetes-models/apps/v1";
import * as rbac from "kubernetes-models/rbac.authorization.k8s.io/v1";
import * as core from "kubernetes-models/v1";
import { createWorkspace } from "../harness/workspace.ts";
import { cases } from "./cases.ts";
import {
  chart,
  findObject,
  type KubeObject,
  podTemplate,
  renderObjects,
  renderText,
  runHelm,
} from "./helm.ts";

const workspace = createWorkspace("chart");
afterAll(workspace.close);

type Model = new (data: never) => { validate(): void };

const groups: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  v1: core,
  "apps/v1": apps,
  "rbac.authorization.k8s.io/v1": rbac,
  "admissionregistration.k8s.io/v1": admission,
  "apiextensions.k8s.io/v1": extensions,
  "monitoring.coreos.com/v1": monitoring,
};

/** The error names the object and the field. */
function validate(object: KubeObject): void {
  const model = groups[object.apiVersion]?.[object.kind];
  if (model === undefined) throw new Error(`no schema for ${object.apiVersion} ${object.kind}`);
  // The classes of the package have no common type.
  new (model as Model)(object as never).validate();
}

test.each(cases)("$name: helm lint --strict", ({ values, namespace = "kube-system", args = [] }) => {
  const lint = runHelm(["lint", "--strict", chart, "--namespace", namespace, ...args], values);
  expect([lint.exitCode, lint.stdout + lint.stderr]).toEqual([0, expect.any(String)]);
});

test.each(cases)("$name: each object is one that the API server accepts", ({ values, ...options }) => {
  const objects = renderObjects(values, options);
  for (const object of objects) validate(object);
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(names.sort()).toMatchSnapshot();
});

test("no field of an object is misspelt: the types of Kubernetes have it", async () => {
  const lines: string[] = [];
  for (const [at, { values, ...options }] of cases.entries()) {
    for (const [index, object] of renderObjects(values, options).entries()) {
      // Schemas of CRDs are free, and CustomResourceDefinitions are validated by tests/operator.
      if (object.kind === "CustomResourceDefinition") continue;
      const from = object.apiVersion.startsWith("monitoring.")
        ? `@kubernetes-models/prometheus-operator/${object.apiVersion}`
        : `kubernetes-models/${object.apiVersion}`;
      const name = `o${at}_${index}`;
      lines.push(
        `const ${name}: import("${from}").I${object.kind} = ${JSON.stringify(object)};`,
        `void ${name};`,
      );
    }
  }
  expect(lines.length).toBeGreaterThan(100);
  const directory = `${import.meta.dir}/.types-${workspace.tag}`;
  workspace.onClose(() => Bun.$`rm -rf ${directory}`.quiet());
  await Bun.write(`${directory}/objects.ts`, `${lines.join("\n")}\nexport {};\n`);
  const options = ["--noEmit", "--skipLibCheck", "--strict", "--module", "preserve", "--target", "esnext"];
  const { stdout, exitCode } = Bun.spawnSync([
    ...["bun", "x", "tsc", "--ignoreConfig", ...options],
    `${directory}/objects.ts`,
  ]);
  expect([exitCode, stdout.toString()]).toEqual([0, ""]);
}, 60_000);

test.each([
  { name: "oci-hooks", values: { rthooks: { enabled: true, interface: "oci-hooks" } } },
  { name: "nri-hook", values: { rthooks: { enabled: true, interface: "nri-hook" } } },
])("$name: what Helm renders is what was reviewed", ({ values }) => {
  expect(renderText(values)).toMatchSnapshot();
});

test("the pods are named as in Tetragon's documentation, and each has its containers", () => {
  const objects = renderObjects({ rthooks: { enabled: true, interface: "nri-hook" } });
  const containers = (kind: string, name: string): readonly string[] =>
    podTemplate(findObject(objects, kind, name)).spec.containers.map((one) => one.name);
  expect(containers("DaemonSet", "tetragon")).toEqual(["export-stdout", "tetragon"]);
  expect(containers("Deployment", "tetragon-operator")).toEqual(["tetragon-operator"]);
  expect(containers("DaemonSet", "tetragon-rthooks")).toEqual(["tetragon-rthooks", "export-logs"]);
});

test("the agent's DaemonSet is created before that of rthooks, and both before other pods are placed", () => {
  const sets = renderObjects({ rthooks: { enabled: true, interface: "nri-hook" } }).filter(
    ({ kind }) => kind === "DaemonSet",
  );
  expect(sets.map(({ metadata }) => metadata.name)).toEqual(["tetragon", "tetragon-rthooks"]);
  for (const set of sets) {
    expect(podTemplate(set).spec).toMatchObject({
      priorityClassName: "system-node-critical",
      tolerations: [{ operator: "Exists" }],
    });
  }
});

test("rthooks starts a new pod before the old one ends; two agents are never on a node", () => {
  const objects = renderObjects({ rthooks: { enabled: true, interface: "nri-hook" } });
  expect(findObject(objects, "DaemonSet", "tetragon-rthooks")["spec"]).toMatchObject({
    updateStrategy: { rollingUpdate: { maxSurge: "10%", maxUnavailable: 0 } },
  });
  expect(findObject(objects, "DaemonSet", "tetragon")["spec"]).toMatchObject({
    updateStrategy: { rollingUpdate: { maxUnavailable: 1 } },
  });
});

test("hook file and NRI socket are in directories that must be there; what the chart writes is created", () => {
  const typesOf = (values: object): Record<string, string> => {
    const { spec } = podTemplate(findObject(renderObjects(values), "DaemonSet", "tetragon-rthooks"));
    return Object.fromEntries(
      spec.volumes.flatMap(({ hostPath }) =>
        hostPath === undefined ? [] : [[hostPath.path, hostPath.type]],
      ),
    );
  };
  expect(typesOf({ rthooks: { enabled: true, interface: "oci-hooks" } })).toEqual({
    "/opt/tetragon": "DirectoryOrCreate",
    "/usr/share/containers/oci/hooks.d": "Directory",
    "/": "Directory",
  });
  expect(typesOf({ rthooks: { enabled: true, interface: "nri-hook", installDir: "/run/tetragon" } })).toEqual(
    {
      "/run/tetragon": "DirectoryOrCreate",
      "/var/run/nri": "Directory",
      "/var/run/tetragon": "DirectoryOrCreate",
      "/": "Directory",
    },
  );
});

test("two releases have no object's name in common", () => {
  const values = { rthooks: { enabled: true, interface: "nri-hook" } };
  const names = (release: string): readonly string[] =>
    renderObjects(values, { release, namespace: release }).map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );
  const both = new Set([...names("one"), ...names("two")]);
  expect(both.size).toBe(names("one").length + names("two").length);
});
