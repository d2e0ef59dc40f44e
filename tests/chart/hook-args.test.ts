// SPDX-License-Identifier: Apache-2.0
// The hook's flags, as the real hook reads them.
import { expect, test } from "bun:test";
import { findHook } from "../harness/programs.ts";
import {
  findContainer,
  findObject,
  hookArgs,
  parseObjects,
  renderObjects,
  renderText,
  tryRender,
} from "./helm.ts";

const nri = (more: object): object => ({ rthooks: { enabled: true, interface: "nri-hook", ...more } });

/** Of the built hook: --just-print-config prints what it has read. */
function readByHook(args: readonly string[]): Readonly<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = Bun.spawnSync([
    ...[findHook(), "createRuntime", ...args, "--just-print-config"],
  ]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

const awkward = [
  "^d{1,3}efault$",
  "^team-(a|b)$",
  "a: b # c",
  "'single' \"double\"",
  "{{ .Release.Name }}",
  "^- x$",
  "&anchor *alias !tag %d @at `tick`",
  "\\d+\\.\\\\",
  "yes",
  "0123",
  "ünï",
];

test("expressions reach the hook as they were written", () => {
  const config = readByHook(hookArgs(nri({ failAllowNamespacesRegex: awkward })));
  expect(config).toMatchObject({ fail_allow_namespaces_regex: awkward });
});

test.each([
  { name: "nothing is set", more: {}, namespaces: ["kube-system", "security"] },
  {
    name: "spaces and commas",
    more: { failAllowNamespaces: " a , b,, kube-system," },
    namespaces: ["kube-system", "security", "a", "b"],
  },
  {
    name: "by extraHookArgs",
    more: { failAllowNamespaces: "a", extraHookArgs: { "fail-allow-namespaces": ["b", "c"] } },
    namespaces: ["kube-system", "security", "a", "b", "c"],
  },
])("$name: kube-system and the release's namespace are allowed", ({ more, namespaces }) => {
  const { failAllowNamespaces } = { failAllowNamespaces: "", ...more };
  const values = nri({ ...more, failAllowNamespaces: failAllowNamespaces.replace(",,", ",") });
  expect(readByHook(hookArgs(values, { namespace: "security" }))).toMatchObject({
    fail_allow_namespaces: namespaces,
  });
});

test.each([
  { name: "none", grpc: {}, addresses: "unix:///var/run/tetragon/tetragon.sock" },
  { name: "off", grpc: { enabled: false }, addresses: "unix:///var/run/tetragon/tetragon.sock" },
  {
    name: "TCP",
    grpc: { address: "localhost:54321" },
    addresses: "unix:///var/run/tetragon/tetragon.sock,localhost:54321",
  },
  {
    name: "TCP with TLS",
    grpc: { address: ":54321", tls: { enabled: true, server: { existingSecret: "s" } } },
    addresses: "unix:///var/run/tetragon/tetragon.sock,:54321",
  },
  {
    name: "TCP before another socket",
    grpc: { address: "localhost:1, unix:///run/b/t.sock" },
    addresses: "unix:///run/b/t.sock,localhost:1",
  },
])("$name: the hook has the agent's unix socket, which is its first address", ({ grpc, addresses }) => {
  const values = { tetragon: { grpc }, ...nri({}) };
  const [unix = ""] = addresses.split(",");
  expect(readByHook(hookArgs(values))).toMatchObject({ grpc_address: unix });
  const config = findObject(renderObjects(values), "ConfigMap", "tetragon-config");
  expect(config["data"]).toMatchObject({ "server-address": addresses });
});

test("the sockets' directory is the node's for the agent and for the plugin", () => {
  const values = { tetragon: { grpc: { address: "unix:///run/b/t.sock" } }, ...nri({}) };
  const text = renderText(values);
  expect(text.match(/mountPath: "\/run\/b"/g)).toHaveLength(2);
  expect(text.match(/path: "\/run\/b"/g)).toHaveLength(2);
});

test("flags of the hook are passed on, numbers as they are written", () => {
  const values = nri({ extraHookArgs: { "grpc-timeout": "3s", "disable-grpc": null, "log-level": "debug" } });
  expect(hookArgs(values).slice(-3)).toEqual(["--disable-grpc", "--grpc-timeout=3s", "--log-level=debug"]);
});

test.each([
  { name: "kube-system", annotations: { "io.kubernetes.pod.namespace": "kube-system" }, isDenied: false },
  { name: "the release's", annotations: { "io.kubernetes.pod.namespace": "security" }, isDenied: false },
  { name: "another", annotations: { "io.kubernetes.pod.namespace": "shop" }, isDenied: true },
  { name: "none", annotations: {}, isDenied: true },
])(
  "an expression that denies all leaves two namespaces allowed: $name",
  async ({ annotations, isDenied }) => {
    const args = hookArgs(nri({ extraHookArgs: { "fail-cel-expr": "true" } }), { namespace: "security" });
    const { fail_cel_expr: expression } = readByHook(args);
    const { celEnv, parse, plan, mapType, listType, CelScalar } = await import("@bufbuild/cel");
    const env = celEnv({
      variables: {
        annotations: mapType(CelScalar.STRING, CelScalar.STRING),
        annotations_namespace_keys: listType(CelScalar.STRING),
      },
    });
    const value = plan(
      env,
      parse(String(expression)),
    )({
      annotations: new Map(Object.entries(annotations)),
      annotations_namespace_keys: ["io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"],
    });
    expect(value).toBe(isDenied);
  },
);

test("the log that export-logs prints is the one that the hook writes", () => {
  const rendered = parseObjects(renderText(nri({ installDir: "/run/tetragon" })));
  const logs = findContainer(findObject(rendered, "DaemonSet", "tetragon-rthooks"), "export-logs");
  expect(logs.command.at(-1)).toBe("/run/tetragon/tetragon-oci-hook.log");
  expect(tryRender(nri({ extraHookArgs: { "log-fname": "/x.log" } })).stderr).toContain(
    "export-logs does not find",
  );
});
