// SPDX-License-Identifier: Apache-2.0
// The programs with what the chart gives them: their flags, and their rights at a played API server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { serveKubeObjects } from "../harness/kube-objects.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { startProcess } from "../harness/process.ts";
import { findAgent, findOperator, findProgram } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { findContainer, findObject, type KubeObject, renderObjects } from "./helm.ts";

const workspace = createWorkspace("chartp");
afterAll(workspace.close);

const objects = renderObjects({
  tetragonOperator: { podInfo: { enabled: true }, failoverLease: { enabled: true } },
  rthooks: { enabled: true, interface: "nri-hook", prometheus: { enabled: true } },
});

/** "watch pods", "get tracingpolicies.cilium.io" of each request. */
interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string;
}

function toAsked({ pathname, searchParams }: URL, method: string): Asked | undefined {
  const found = /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)\/(?:namespaces\/[^/]+\/)?([^/]+)(?:\/([^/]+))?$/.exec(
    pathname,
  );
  if (found === null) return undefined;
  const [, group = "", resource = "", name = ""] = found;
  const reads = name !== "" ? "get" : searchParams.get("watch") !== null ? "watch" : "list";
  const verb = { GET: reads, POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" }[method];
  return { verb: verb ?? method, group, resource, name };
}

function recordRequests(api: KubeApi): readonly Asked[] {
  const asked: Asked[] = [];
  api.intercept = (url, { method }) => {
    const one = toAsked(url, method);
    if (one !== undefined) asked.push(one);
    return undefined;
  };
  return asked;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

// The form was validated by render.test.ts.
const rulesOf = (...roles: readonly KubeObject[]): readonly Rule[] =>
  roles.flatMap((role) => role["rules"] as readonly Rule[]);

const isGranted = (rules: readonly Rule[], { verb, group, resource, name }: Asked): boolean =>
  rules.some(
    (rule) =>
      rule.apiGroups.includes(group) &&
      rule.resources.includes(resource) &&
      rule.verbs.includes(verb) &&
      (rule.resourceNames === undefined || rule.resourceNames.includes(name)),
  );

const renderRights = (rules: readonly Rule[]): readonly string[] =>
  rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    )
    .sort();

const renderAsked = (asked: readonly Asked[]): readonly string[] => [
  ...new Set(asked.map(({ verb, group, resource }) => `${verb} ${group}/${resource}`)),
];

/** A directory as the kubelet mounts the ConfigMap. */
function mountConfig(name: string): string {
  const directory = workspace.path(name);
  mkdirSync(directory);
  const data = findObject(objects, "ConfigMap", name)["data"] as Readonly<Record<string, string>>;
  for (const [key, value] of Object.entries(data)) writeFileSync(`${directory}/${key}`, value);
  return directory;
}

describe("the agent", () => {
  let asked: readonly Asked[] = [];
  let log: () => string = () => "";

  beforeAll(async () => {
    const api = startKubeApi(workspace);
    asked = recordRequests(api);
    const socket = workspace.path("agent.sock");
    // A server that lists first, so that it is asked for both.
    api.refusesInitialEvents = true;
    api.putNode("node-1", {});
    for (const kind of ["tracingpolicies", "tracingpoliciesnamespaced"]) api.serveKind(kind);
    // Only with such a policy does the agent ask for its node.
    const selected = {
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "by-node" } },
      spec: { nodeSelector: { matchLabels: { pool: "web" } } },
    };
    api.putObject("tracingpolicies", "t1", selected);
    const process = startProcess(
      [
        ...[findAgent(), "--config-dir", mountConfig("tetragon-config")],
        // What must not be this machine's.
        ...["--server-address", `unix://${socket}`, "--info-file", "", "--procfs", "/proc"],
        ...["--bpf-dir", `${mountBpfFs(workspace)}/tetragon`, "--metrics-server", ""],
        ...["--health-server-address", "", "--export-filename", workspace.path("events.log")],
        ...["--tracing-policy-dir", workspace.path("none"), "--node-name", "node-1", "--log-level", "debug"],
        ...["--k8s-kubeconfig-path", writeKubeconfig(workspace, api), "--log-format", "json"],
      ],
      {},
      workspace,
    );
    log = process.stderr;
    const isReady = (): boolean => renderAsked(asked).length >= 8 && log().includes("listening");
    await waitFor("the agent's watches and its socket", () => isReady() || process.hasExited(), 30_000);
    // A container whose pod the watch does not have.
    await callRuntimeHook(`unix://${socket}`, {
      ...{ cgroupsPath: "/kubepods/pod1/c1", containerID: "c1", podName: "web", podNamespace: "shop" },
      podUID: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b22",
    }).catch(() => {});
  }, 60_000);

  test("knows every key of its ConfigMap", () => {
    expect(log()).toContain("listening");
    expect(log().match(/.*(not a flag|that this program does not have).*/g)).toBeNull();
  });

  test("asks for nothing beyond its role, and the role has nothing beyond that", () => {
    const rules = rulesOf(findObject(objects, "ClusterRole", "tetragon"));
    expect(asked.filter((one) => !isGranted(rules, one))).toEqual([]);
    expect([...renderAsked(asked)].sort()).toEqual([...renderRights(rules)]);
  });
});

test("the operator asks for nothing beyond its roles, and knows every key of its ConfigMap", async () => {
  const api = startKubeApi(workspace);
  serveKubeObjects(api);
  const asked = recordRequests(api);
  api.put({ uid: "u1", name: "web", namespace: "shop", labels: {} });
  const process = startProcess(
    [
      ...[findOperator(), "serve", "--config-dir", mountConfig("tetragon-operator-config")],
      ...["--health-probe-bind-address", "0", "--log-format", "json", "--log-level", "debug"],
      ...["--kube-config", writeKubeconfig(workspace, api, {}, workspace.path("operator-config"))],
    ],
    {},
    workspace,
  );
  await waitFor("the watch of PodInfo", () =>
    asked.some(({ resource, verb }) => resource === "podinfo" && verb === "watch"),
  );
  const rules = rulesOf(
    findObject(objects, "ClusterRole", "tetragon-operator"),
    findObject(objects, "Role", "tetragon-operator"),
  );
  expect(asked.filter((one) => !isGranted(rules, one))).toEqual([]);
  expect(process.stderr().match(/.*(not a flag|that this program does not have).*/g)).toBeNull();
}, 60_000);

test.each([
  { kind: "DaemonSet", object: "tetragon-rthooks", container: "tetragon-rthooks" },
  { kind: "DaemonSet", object: "tetragon-rthooks", container: "export-logs" },
  { kind: "DaemonSet", object: "tetragon", container: "export-stdout" },
  { kind: "Deployment", object: "tetragon-operator", container: "tetragon-operator" },
])("$container: the program knows each flag of its command", ({ kind, object, container }) => {
  const { command, args = [] } = findContainer(findObject(objects, kind, object), container);
  const [path = "", ...line] = [...command, ...args];
  const own = line.slice(0, line.includes("hook-args") ? line.indexOf("hook-args") : undefined);
  const words = own.filter((one) => /^[a-z]/.test(one));
  const { exitCode, stdout } = Bun.spawnSync([
    findProgram(path.replace("/usr/bin/", "")),
    ...words,
    "--help",
  ]);
  expect(exitCode).toBe(0);
  const known = new Set(stdout.toString().match(/--[a-z0-9.-]+/g));
  const used = own.filter((one) => one.startsWith("--")).map((one) => one.split("=")[0]);
  expect(used.filter((one) => one === undefined || !known.has(one))).toEqual([]);
});

test("chart, programs and images have one version", async () => {
  const { version } = await Bun.file(`${import.meta.dir}/../../package.json`).json();
  expect(findContainer(findObject(objects, "DaemonSet", "tetragon"), "tetragon").image).toEndWith(
    `:${version}`,
  );
});
