// SPDX-License-Identifier: Apache-2.0
// The built agent and containers that no hook has told of: those that the API server has are found, and stay in their
// policies whatever it says late or in the wrong order.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("krun");
let runc: Runc;
let api: KubeApi;
let control: AgentControl;
let maps: string;

beforeAll(() => {
  runc = createRunc(workspace);
  api = startKubeApi(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  const policy = {
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "web" },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  };
  writeFileSync(workspace.path("web.yaml"), JSON.stringify(policy));
  control = createAgentControl(workspace, [
    ...[
      "--enable-k8s-api",
      "--k8s-kubeconfig-path",
      writeKubeconfig(workspace, api),
      "--node-name",
      "node-1",
    ],
    ...["--enable-policy-filter", "--bpf-dir", maps, "--sweep-interval", "100ms"],
    ...["--tracing-policy", workspace.path("web.yaml"), "--tracing-policy-dir", workspace.path("none")],
  ]);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const webPolicy = 2;
const members = () => dumpPolicyFilter(maps).get(webPolicy) ?? new Set<bigint>();
const web = { labels: { app: "web" } };
/** Cgroups are looked for in the whole hierarchy, where others may be at work with the same tests. */
const own = crypto.randomUUID().slice(0, 8);
const uidOf = (number: number): string => `${own}-0000-4000-8000-00000000000${number}`;
const imageOf = (id: string) => ({ id, name: "app", image: "docker.io/library/web:1" });

let count = 0;

/** A container of the pod, in the cgroup where the kubelet would have it. */
async function start(uid: string, pod: string, isHooked = false) {
  const id = own + String(++count).repeat(56).slice(0, 56);
  const bundle = createBundle(workspace, {
    id: `c${count}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${uid}/${id}`,
    annotations: containerdAnnotations({ uid, namespace: "shop", name: pod, container: "app" }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: isHooked
      ? {
          createRuntime: [
            {
              path: findHook(),
              args: [
                ...["tetragon-oci-hook", "createRuntime", "--grpc-address", `unix://${control.socketPath}`],
                ...["--log-fname", workspace.path(`c${count}.log`)],
              ],
            },
          ],
        }
      : {},
  });
  const running = runc.start(bundle);
  const cgroupId = readCgroupId((await waitForFirstAct(running, bundle.outDir)).cgroupPath);
  return {
    id,
    cgroupId,
    end: async () => {
      writeFileSync(join(bundle.outDir, "end"), "");
      await running.exited;
    },
  };
}

test("a container that is older than the agent is in its policies, and stays there over the agent's lives", async () => {
  const old = await start(uidOf(1), "old");
  api.put({ uid: uidOf(1), name: "old", ...web, containers: [imageOf(old.id)] });
  await control.start();
  await waitFor("it is in its policy", () => members().has(old.cgroupId));
  const [record] = await control.agent().containers();
  expect(record).toMatchObject({
    id: old.id,
    name: "app",
    podName: "old",
    source: "scan",
    cgroupId: old.cgroupId,
  });

  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  // While nobody looks, the labels of one pod change, and another container comes.
  api.put({ uid: uidOf(1), name: "old", labels: { app: "db" }, containers: [imageOf(old.id)] });
  const other = await start(uidOf(2), "other");
  api.put({ uid: uidOf(2), name: "other", ...web, containers: [imageOf(other.id)] });
  expect(members()).toEqual(new Set([old.cgroupId]));
  await control.start();
  await waitFor(
    "what has changed is known",
    () => !members().has(old.cgroupId) && members().has(other.cgroupId),
  );
  for (const one of [old, other]) await one.end();
  await waitFor("both are gone", () => members().size === 0);
  for (const uid of [uidOf(1), uidOf(2)]) api.delete(uid);
}, 60_000);

test("a container that came by a hook stays while the API server lists the others of its pod only", async () => {
  const first = await start(uidOf(3), "two");
  api.put({ uid: uidOf(3), name: "two", ...web, containers: [imageOf(first.id)] });
  const second = await start(uidOf(3), "two", true);
  expect(members().has(second.cgroupId)).toBe(true);
  await waitFor("the first is found", () => members().has(first.cgroupId));
  for (const labels of [
    { app: "web", again: "1" },
    { app: "web", again: "2" },
  ]) {
    api.put({ uid: uidOf(3), name: "two", labels, containers: [imageOf(first.id)] });
    await Bun.sleep(50);
    expect(members()).toEqual(new Set([first.cgroupId, second.cgroupId]));
  }
  for (const one of [first, second]) await one.end();
  await waitFor("both are gone", () => members().size === 0);
  api.delete(uidOf(3));
}, 60_000);

test("a pod that only the one who asked for it has heard of outlives a list without it", async () => {
  api.put({ uid: uidOf(4), name: "ahead", ...web, isBehind: true });
  const container = await start(uidOf(4), "ahead", true);
  expect(members()).toEqual(new Set([container.cgroupId]));
  const watchers = api.requests.filter((url) => url.searchParams.get("sendInitialEvents") === "true").length;
  api.forgetHistory();
  api.cut();
  await waitFor(
    "the pods are listed anew",
    () =>
      api.requests.filter((url) => url.searchParams.get("sendInitialEvents") === "true").length > watchers &&
      api.watchers() > 0,
  );
  await Bun.sleep(200);
  expect(members()).toEqual(new Set([container.cgroupId]));
  api.catchUp();
  await Bun.sleep(100);
  expect(members()).toEqual(new Set([container.cgroupId]));
  await container.end();
  await waitFor("its cgroup is gone", () => members().size === 0);
  api.delete(uidOf(4));
}, 60_000);

test("a container stays in its policies while it runs, though its pod is deleted or missing from a list", async () => {
  api.put({ uid: uidOf(5), name: "deleted", ...web });
  api.put({ uid: uidOf(6), name: "unlisted", ...web });
  const deleted = await start(uidOf(5), "deleted", true);
  const unlisted = await start(uidOf(6), "unlisted", true);
  const both = new Set([deleted.cgroupId, unlisted.cgroupId]);
  expect(members()).toEqual(both);
  api.delete(uidOf(5));
  await waitFor("a new container of the deleted pod is refused", async () => {
    const call = { podUID: uidOf(5), podName: "deleted", podNamespace: "shop", containerID: "new" };
    const path = `${runc.cgroupParent}/pod${uidOf(5)}/new`;
    return await callRuntimeHook(`unix://${control.socketPath}`, { ...call, cgroupsPath: path }).then(
      () => false,
      (error: unknown) => String(error).includes("was deleted"),
    );
  });
  expect(members()).toEqual(both);

  // The next list lacks the other one, and no event says why.
  api.isSilent = true;
  api.delete(uidOf(6));
  api.forgetHistory();
  api.isSilent = false;
  const isAsked = ({ searchParams }: URL): boolean => searchParams.get("sendInitialEvents") === "true";
  const lists = api.requests.filter(isAsked).length;
  api.cut();
  // Its turn comes within the windows of two attempts.
  await waitFor("the pods are listed again", () => api.requests.filter(isAsked).length > lists, 30_000);
  api.put({ uid: uidOf(7), name: "later", labels: {} });
  await waitFor("the list was read", async () => {
    const call = { podUID: uidOf(7), podName: "later", podNamespace: "shop", containerID: "probe" };
    const refused = callRuntimeHook(`unix://${control.socketPath}`, {
      ...call,
      cgroupsPath: "/nowhere/probe",
    });
    return await refused.catch((error: unknown) => String(error).includes("no cgroup"));
  });
  expect(members()).toEqual(both);

  // With no pod in the list and no call, they stay over an agent's life, too.
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  await control.start();
  await waitFor("the pods are listed", () => api.requests.filter(isAsked).length > lists + 1);
  expect(members()).toEqual(both);
  await deleted.end();
  await unlisted.end();
  await waitFor("both have ended", () => members().size === 0);
  api.delete(uidOf(7));
}, 60_000);
