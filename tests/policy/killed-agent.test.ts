// SPDX-License-Identifier: Apache-2.0
// The built agent is killed again and again in the middle of 1,000 container starts: a container that was let go is in its
// policies from then on, whether an agent runs or not.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("kill");
const parent = `/rthooks-kill-${workspace.tag}`;
const pods = 200;
const each = 5;
const callers = 16;
const kills = 8;
const webPolicy = 2;
let api: KubeApi;
let control: AgentControl;
let maps: string;

interface Start {
  readonly id: string;
  readonly pod: number;
  readonly cgroupsPath: string;
  readonly cgroupId: bigint;
}

/** Cgroups are looked for in the whole hierarchy, where others may be at work with the same tests. */
const own = crypto.randomUUID().slice(0, 8);
const uidOf = (pod: number): string => `${own}-0000-4000-8000-${String(pod).padStart(12, "0")}`;
const isWeb = (pod: number): boolean => pod % 2 === 0;
const starts: Start[] = [];
const released = new Set<Start>();

beforeAll(() => {
  api = startKubeApi(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  workspace.onClose(() => removeCgroup(parent));
  for (let pod = 0; pod < pods; pod++) {
    for (let at = 0; at < each; at++) {
      const id = own + `${pod}`.padStart(28, "a") + `${at}`.padStart(28, "b");
      const cgroupsPath = `${parent}/kubepods/pod${uidOf(pod)}/${id}`;
      mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
      starts.push({ id, pod, cgroupsPath, cgroupId: readCgroupId(cgroupsPath) });
    }
    tellApi(pod);
  }
  const policy = {
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "web" },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  };
  writeFileSync(workspace.path("web.json"), JSON.stringify(policy));
  control = createAgentControl(workspace, [
    ...[
      "--enable-k8s-api",
      "--k8s-kubeconfig-path",
      writeKubeconfig(workspace, api),
      "--node-name",
      "node-1",
    ],
    ...["--enable-policy-filter", "--bpf-dir", maps, "--sweep-interval", "100ms"],
    ...["--tracing-policy", workspace.path("web.json"), "--tracing-policy-dir", workspace.path("none")],
    ...["--log-level", "warn"],
  ]);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

/** As the kubelet does: late, and all of a pod's containers at once. */
function tellApi(pod: number): void {
  const containers = [...released]
    .filter((start) => start.pod === pod)
    .map(({ id }) => ({ id, name: "app", image: "web:1" }));
  api.put({ uid: uidOf(pod), name: `pod-${pod}`, labels: { app: isWeb(pod) ? "web" : "db" }, containers });
}

/** Asks until it is answered, as runtimes and kubelets do. */
async function hold(start: Start): Promise<void> {
  const { id, pod, cgroupsPath } = start;
  const fields = {
    cgroupsPath,
    containerID: id,
    podName: `pod-${pod}`,
    podUID: uidOf(pod),
    podNamespace: "shop",
  };
  for (let tries = 0; ; tries++) {
    try {
      await callRuntimeHook(`unix://${control.socketPath}`, fields);
      released.add(start);
      return;
    } catch (error) {
      if (tries > 1000) throw error;
      await Bun.sleep(20);
    }
  }
}

/** Every container that had its answer before the look is where it belongs, and nobody else is. */
function expectHeld(): void {
  const before = [...released];
  const members = dumpPolicyFilter(maps);
  const [all, web] = [members.get(1) ?? new Set(), members.get(webPolicy) ?? new Set()];
  const lost = before.filter(({ pod, cgroupId }) => !all.has(cgroupId) || (isWeb(pod) && !web.has(cgroupId)));
  const strange = before.filter(({ pod, cgroupId }) => !isWeb(pod) && web.has(cgroupId));
  expect({ lost: lost.map(({ id }) => id), strange: strange.map(({ id }) => id) }).toEqual({
    lost: [],
    strange: [],
  });
}

test("no container that was let go leaves its policies", async () => {
  await control.start();
  const waiting = starts.toSorted(() => Math.random() - 0.5);
  let isDone = false;
  const working = Promise.all(
    Array.from({ length: callers }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await hold(next);
    }),
  ).finally(() => {
    isDone = true;
  });
  const kubelet = (async () => {
    for (let pod = 0; !isDone; pod = (pod + 1) % pods) {
      tellApi(pod);
      await Bun.sleep(2);
    }
  })();
  for (let at = 1; at <= kills; at++) {
    // Evenly over the work, and then at a moment of its own.
    await waitFor(
      "some are let go",
      () => isDone || released.size >= (starts.length * at) / (kills + 1),
      60_000,
    );
    await Bun.sleep(Math.random() * 10);
    control.agent().process.signal("SIGKILL");
    await control.agent().process.exited;
    expectHeld();
    expect(isDone).toBe(false);
    await control.start();
    expectHeld();
  }
  await working;
  await kubelet;
  expectHeld();
  for (let pod = 0; pod < pods; pod++) tellApi(pod);
  await waitFor(
    "the last agent knows all",
    async () => (await control.agent().containers()).length === starts.length,
    60_000,
  );
  const members = dumpPolicyFilter(maps);
  const idsOf = (some: readonly Start[]) => new Set(some.map(({ cgroupId }) => cgroupId));
  expect(members.get(1)).toEqual(idsOf(starts));
  expect(members.get(webPolicy)).toEqual(idsOf(starts.filter(({ pod }) => isWeb(pod))));
}, 180_000);
