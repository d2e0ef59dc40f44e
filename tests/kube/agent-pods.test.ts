// SPDX-License-Identifier: Apache-2.0
// The built agent with an API server: a container's labels and policies come from there, before it starts.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyState } from "@rthooks/proto";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectory, readCgroupId } from "../harness/cgroup.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("kagent");
let runc: Runc;
let api: KubeApi;
let control: AgentControl;
let maps: string;

beforeAll(async () => {
  runc = createRunc(workspace);
  api = startKubeApi(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  const kubeconfig = writeKubeconfig(workspace, api);
  control = createAgentControl(workspace, [
    ...[
      "--enable-k8s-api",
      "--k8s-kubeconfig-path",
      kubeconfig,
      "--node-name",
      "node-1",
      "--pod-wait",
      "1500ms",
    ],
    ...[
      "--enable-policy-filter",
      "--bpf-dir",
      maps,
      "--sweep-interval",
      "100ms",
      "--enable-tracing-policy-crd",
    ],
    ...["--tracing-policy-dir", workspace.path("none")],
  ]);
  await control.start();
  await callPolicies(`unix://${control.socketPath}`).add(`
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: { name: web }
spec:
  podSelector: { matchLabels: { app: web } }
`);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const webPolicy = 2;
const members = () => dumpPolicyFilter(maps).get(webPolicy) ?? new Set<bigint>();

let count = 0;
function create(uid: string, name: string, flags: readonly string[] = []): Bundle {
  const container = `c${++count}`;
  return createBundle(workspace, {
    id: `${container}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${uid}/${container}`,
    annotations: containerdAnnotations({ uid, namespace: "shop", name, container }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", `unix://${control.socketPath}`],
            ...["--log-fname", workspace.path(`${container}.log`), ...flags],
          ],
        },
      ],
    },
  });
}

const uidOf = (number: number): string =>
  `00000000-0000-4000-8000-0000000000${String(number).padStart(2, "0")}`;

async function start(bundle: Bundle) {
  const running = runc.start(bundle);
  const id = readCgroupId((await waitForFirstAct(running, bundle.outDir)).cgroupPath);
  return {
    id,
    end: async () => {
      writeFileSync(join(bundle.outDir, "end"), "");
      await running.exited;
    },
  };
}

test("a pod that the watch has told of is in its policies at once, and its labels are followed", async () => {
  api.put({ uid: uidOf(1), name: "web-1", labels: { app: "web" } });
  const container = await start(create(uidOf(1), "web-1"));
  expect(members().has(container.id)).toBe(true);
  api.put({ uid: uidOf(1), name: "web-1", labels: { app: "db" } });
  await waitFor("its new labels", () => !members().has(container.id));
  api.put({ uid: uidOf(1), name: "web-1", labels: { app: "web" } });
  await waitFor("its old ones", () => members().has(container.id));
  await container.end();
}, 60_000);

test("a pod that comes late is waited for, told by the watch or asked for by its name", async () => {
  const early = runc.start(create(uidOf(2), "late"));
  await Bun.sleep(300);
  expect(early.hasExited()).toBe(false);
  api.put({ uid: uidOf(2), name: "late", labels: { app: "web" } });
  await waitFor("the container is in its policy", () => members().size === 1);
  early.signal("SIGKILL");
  await early.exited;

  // The watch says nothing, but the server has it.
  api.isSilent = true;
  api.put({ uid: uidOf(3), name: "asked", labels: { app: "web" } });
  const container = await start(create(uidOf(3), "asked"));
  expect(members().has(container.id)).toBe(true);
  await container.end();
  api.isSilent = false;
  api.cut();
  const after = api.requests.length;
  const isPodWatch = ({ pathname, search }: URL): boolean =>
    pathname === "/api/v1/pods" && search.includes("watch=true");
  await waitFor("the watch is back", () => api.requests.slice(after).some(isPodWatch), 30_000);
}, 60_000);

test("a pod that the server does not have, or has another one of its name, is refused", async () => {
  for (const [uid, name] of [
    [uidOf(4), "nobody"],
    [uidOf(5), "web-1"],
  ] as const) {
    const refused = await runc.run(create(uid, name));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("is not known to the API server after 1500 ms");
  }
}, 60_000);

test("a caller with less time than that hears the reason too", async () => {
  const refused = await runc.run(create(uidOf(4), "nobody", ["--grpc-timeout", "700ms"]));
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(/is not known to the API server after [56]\d\d ms/);
}, 60_000);

test("a pod that was deleted is refused at once", async () => {
  api.put({ uid: uidOf(7), name: "deleted" });
  const container = await start(create(uidOf(7), "deleted"));
  api.delete(uidOf(7));
  await container.end();
  const asked = api.requests.length;
  const refused = await runc.run(create(uidOf(7), "deleted"));
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("was deleted");
  expect(api.requests.slice(asked).filter(({ pathname }) => pathname.endsWith("/deleted"))).toEqual([]);
}, 60_000);

test("a static pod has its mirror's labels, and starts without one", async () => {
  const hash = "0123456789abcdef0123456789abcdef";
  const annotations = { "kubernetes.io/config.mirror": hash };
  const ownerReferences = [{ kind: "Node", name: "node-1" }];
  const early = await start(create(hash, "etcd"));
  expect(members().has(early.id)).toBe(false);
  api.put({ uid: uidOf(8), name: "etcd", labels: { app: "web" }, annotations, ownerReferences });
  await waitFor("the mirror's labels", () => members().has(early.id));
  const late = await start(create(hash, "etcd"));
  expect(members().has(late.id)).toBe(true);
  // Somebody deletes the mirror; the kubelet makes another one.
  api.delete(uidOf(8));
  await Bun.sleep(200);
  expect([...members()]).toEqual(expect.arrayContaining([early.id, late.id]));
  api.put({ uid: uidOf(9), name: "etcd", labels: { app: "db" }, annotations, ownerReferences });
  await waitFor("the new mirror's labels", () => ![early.id, late.id].some((id) => members().has(id)));
  for (const one of [early, late]) await one.end();
}, 60_000);

test("a pod in the name of another is the one that its cgroup belongs to", async () => {
  api.put({ uid: uidOf(10), name: "victim", labels: { app: "web" } });
  api.put({ uid: uidOf(11), name: "forger", labels: { app: "db" } });
  const cgroupsPath = `${runc.cgroupParent}/pod${uidOf(11)}/forged`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  // As Tetragon's hook sends it for a pod whose author wrote another runtime's annotations.
  const fields = { cgroupsPath, podUID: uidOf(10), podName: "victim", podNamespace: "shop" };
  await callRuntimeHook(`unix://${control.socketPath}`, fields);
  const record = (await control.agent().containers()).find(({ id }) => id === "forged");
  expect(record).toMatchObject({ podUid: uidOf(11), podName: "forger" });
  expect(members().has(readCgroupId(cgroupsPath))).toBe(false);
  expect(control.agent().process.stderr()).toContain("hook call corrected");
  rmdirSync(findCgroupDirectory(cgroupsPath));
}, 60_000);

test("without an API server the identity of the hook call is used, and corrected later", async () => {
  api.failsWith = 503;
  api.cut();
  const notices = () => control.agent().process.stderr().includes("watch on pods lost");
  await waitFor("the agent notices", notices, 60_000);
  const container = await start(create(uidOf(6), "boot"));
  expect(members().has(container.id)).toBe(false);
  // Nobody was waited for: it was known at once that nobody would tell.
  const lines = control
    .agent()
    .process.stderr()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const told = lines.find(
    ({ msg }) => msg === "no answer from the API server about the pod: using the identity of the hook call",
  );
  expect(told).toMatchObject({ pod: "boot" });
  api.failsWith = undefined;
  api.put({ uid: uidOf(6), name: "boot", labels: { app: "web" } });
  await waitFor("its labels", () => members().has(container.id), 120_000);
  await container.end();
}, 240_000);

test("policies of the API server come, change and go, and those that cannot be used say why", async () => {
  const calls = callPolicies(`unix://${control.socketPath}`);
  const find = async (name: string) =>
    (await calls.list("k8s")).policies.find((policy) => policy.name === name);
  const policy = (kind: string, metadata: object, spec: object) => ({
    apiVersion: "cilium.io/v1alpha1",
    ...{ kind, metadata, spec },
  });
  const about = (app: string) => ({ podSelector: { matchLabels: { app } } });
  api.put({ uid: uidOf(7), name: "web-7", labels: { app: "web" } });
  const container = await start(create(uidOf(7), "web-7"));
  // Its kind comes after the agent.
  api.putObject("tracingpolicies", "t1", policy("TracingPolicy", { name: "cluster" }, about("web")));
  const isEnabled = async (name: string) => (await find(name))?.state === TracingPolicyState.TP_STATE_ENABLED;
  await waitFor("the policy", () => isEnabled("cluster"), 60_000);
  const { filterId } = (await find("cluster")) ?? {};
  const inFilter = () => dumpPolicyFilter(maps).get(Number(filterId))?.has(container.id) === true;
  expect(inFilter()).toBe(true);
  const namespaced = { name: "own", namespace: "shop" };
  api.putObject("tracingpoliciesnamespaced", "n1", policy("TracingPolicyNamespaced", namespaced, {}));
  await waitFor("the namespaced one", async () => (await find("own"))?.namespace === "shop", 60_000);
  api.putObject("tracingpolicies", "t1", policy("TracingPolicy", { name: "cluster" }, about("db")));
  await waitFor("the change", () => !inFilter());
  api.putObject("tracingpolicies", "t2", policy("TracingPolicy", { name: "bad" }, { podSelctor: {} }));
  await waitFor("the bad one", async () =>
    (await find("bad"))?.error.startsWith("spec.podSelctor: unknown field"),
  );
  api.delete("t1");
  api.delete("t2");
  await waitFor("both gone", async () => (await calls.list("k8s")).policies.length === 1);
  await container.end();
}, 180_000);

test("a policy for other nodes is skipped, until the node's labels say otherwise", async () => {
  const calls = callPolicies(`unix://${control.socketPath}`);
  const find = async (name: string) => (await calls.list("k8s")).policies.find((one) => one.name === name);
  const about = (disk: string) => ({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: disk },
    spec: { podSelector: { matchLabels: { app: "web" } }, nodeSelector: { matchLabels: { disk } } },
  });
  api.putNode("node-1", { disk: "ssd" });
  for (const disk of ["ssd", "hdd"]) api.putObject("tracingpolicies", `t-${disk}`, about(disk));
  const states = async () => [(await find("ssd"))?.state, (await find("hdd"))?.state];
  const { TP_STATE_ENABLED: enabled, TP_STATE_SKIPPED: skipped } = TracingPolicyState;
  await waitFor("both are judged", async () => Bun.deepEquals(await states(), [enabled, skipped]), 60_000);
  const filterId = Number((await find("ssd"))?.filterId);
  expect(dumpPolicyFilter(maps).has(filterId)).toBe(true);
  expect((await find("hdd"))?.filterId).toBe(0n);
  api.putNode("node-1", { disk: "hdd" });
  await waitFor("the other way round", async () => Bun.deepEquals(await states(), [skipped, enabled]));
  expect(dumpPolicyFilter(maps).has(filterId)).toBe(false);
  // One that is not for this node can be changed all the same.
  api.putObject("tracingpolicies", "t-ssd", { ...about("hdd"), metadata: { name: "ssd" } });
  await waitFor("both are in force", async () => Bun.deepEquals(await states(), [enabled, enabled]));
  for (const disk of ["ssd", "hdd"]) api.delete(`t-${disk}`);
}, 120_000);
