// SPDX-License-Identifier: Apache-2.0
// Values that are wrong fail before anything is installed, with an error that names the value.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { chart, tryRender } from "./helm.ts";

const oci = (more: object): object => ({ rthooks: { enabled: true, interface: "oci-hooks", ...more } });
const nri = (more: object): object => ({ rthooks: { enabled: true, interface: "nri-hook", ...more } });

test.each([
  { name: "misspelt, at the top", values: { rthook: {} }, says: "'rthook' not allowed" },
  { name: "misspelt", values: { rthooks: { enabeld: true } }, says: "'enabeld' not allowed" },
  { name: "misspelt, deep", values: { tetragon: { grpc: { adress: "" } } }, says: "'adress' not allowed" },
  { name: "a text for a switch", values: { rthooks: { enabled: "true" } }, says: "at '/rthooks/enabled'" },
  { name: "a text for a port", values: { tetragon: { healthGrpc: { port: "x" } } }, says: "healthGrpc/port" },
  { name: "no port", values: { tetragon: { prometheus: { port: 70_000 } } }, says: "prometheus/port" },
  { name: "another interface", values: oci({ interface: "oci-hook" }), says: "at '/rthooks/interface'" },
  { name: "no interface", values: oci({ interface: "" }), says: "rthooks.interface" },
  { name: "another mode", values: nri({ mode: "Direct" }), says: "at '/rthooks/mode'" },
  { name: "direct without NRI", values: oci({ mode: "direct" }), says: "rthooks.mode" },
  { name: "a relative directory", values: oci({ installDir: "opt/tetragon" }), says: "rthooks/installDir" },
  { name: "a colon in a directory", values: oci({ installDir: "/opt:/x" }), says: "rthooks/installDir" },
  { name: "no namespace", values: oci({ failAllowNamespaces: "Kube_System" }), says: "failAllowNamespaces" },
  {
    name: "one pattern as a text",
    values: oci({ failAllowNamespacesRegex: "^a$" }),
    says: "failAllowNamespacesRegex",
  },
  { name: "a pattern for all", values: oci({ failAllowNamespacesRegex: [""] }), says: "Regex/0" },
  {
    name: "a pattern that is none",
    values: oci({ failAllowNamespacesRegex: ["(["] }),
    says: "error parsing regexp",
  },
  {
    name: "two patterns in one",
    values: oci({ failAllowNamespacesRegex: ["^a$,^b$"] }),
    says: "has a comma",
  },
  {
    name: "no flag of the hook",
    values: oci({ extraHookArgs: { "grpc-adress": "x" } }),
    says: "grpc-adress",
  },
  {
    name: "no flag of the agent",
    values: { tetragon: { extraArgs: { "pod-wiat": "1s" } } },
    says: "pod-wiat",
  },
  { name: "an index of a plugin", values: nri({ nriHook: { index: "1" } }), says: "nriHook/index" },
  { name: "a method for CRDs", values: { crds: { installMethod: "Helm" } }, says: "installMethod" },
  {
    name: "TLS without TCP",
    values: { tetragon: { grpc: { tls: { enabled: true, server: { existingSecret: "s" } } } } },
    says: "has no TCP address",
  },
  {
    name: "TLS without certificates",
    values: { tetragon: { grpc: { address: "0.0.0.0:54321", tls: { enabled: true } } } },
    says: "existingSecret",
  },
  {
    name: "a runtime without its socket",
    values: { tetragon: { cri: { enabled: true } } },
    says: "socketHostPath",
  },
  { name: "operators without a lease", values: { tetragonOperator: { replicas: 2 } }, says: "failoverLease" },
  { name: "the host's root", values: oci({ mountHostRoot: false }), says: "rthooks.libc" },
])("$name is refused", ({ values, says }) => {
  const { exitCode, stderr } = tryRender(values);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(says)]);
});

test("an old version of Kubernetes is refused", () => {
  expect(tryRender({}, { args: ["--kube-version", "1.26.0"] }).stderr).toContain("kubeVersion");
});

test("the schema has the values of values.yaml, and no others", async () => {
  const names = (value: unknown, above: string): readonly string[] =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([key, inner]) => names(inner, `${above}/${key}`))
      : [above];
  const closedNames = (schema: Readonly<Record<string, unknown>>, above: string): readonly string[] =>
    schema["additionalProperties"] === false
      ? // A closed schema has properties, each a schema.
        Object.entries(
          schema["properties"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>,
        ).flatMap(([key, inner]) => closedNames(inner, `${above}/${key}`))
      : [above];
  const values = names(parse(await Bun.file(join(chart, "values.yaml")).text()), "");
  const schema = closedNames(await Bun.file(join(chart, "values.schema.json")).json(), "");
  const missing = schema.filter((name) => !values.some((one) => one === name || one.startsWith(`${name}/`)));
  expect(missing).toEqual(["/global"]);
});
