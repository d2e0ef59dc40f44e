// SPDX-License-Identifier: Apache-2.0
// The built agent over real cgroups with real processes: whatever callers, the API server and the container itself do, in
// any order and over the agent's lives, the cgroup of a container that runs stays in its policies.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("stay");
const parent = `/rthooks-stay-${workspace.tag}`;
const allPods = 1;
const webPolicy = 2;
let api: KubeApi;
let control: AgentControl;
let maps: string;

beforeAll(async () => {
  api = startKubeApi(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  mkdirSync(findCgroupDirectory(parent));
  workspace.onClose(() => removeCgroup(parent));
  const policy = {
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "web" } },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  };
  writeFileSync(workspace.path("web.json"), JSON.stringify(policy));
  const kubeconfig = writeKubeconfig(workspace, api);
  control = createAgentControl(workspace, [
    ...[
      "--enable-k8s-api",
      "--k8s-kubeconfig-path",
      kubeconfig,
      "--node-name",
      "node-1",
      "--pod-wait",
      "300ms",
    ],
    ...["--enable-policy-filter", "--bpf-dir", maps, "--sweep-interval", "50ms"],
    ...["--tracing-policy", workspace.path("web.json"), "--tracing-policy-dir", workspace.path("none")],
  ]);
  await control.start();
}, 60_000);
afterAll(() => workspace.close(), 60_000);

let count = 0;

/** A pod with one container, which has a process. */
function createContainer(app: string) {
  const uid = `${crypto.randomUUID()}`;
  const name = `pod-${++count}`;
  const id = crypto.randomUUID().replaceAll("-", "").repeat(2);
  const root = `${parent}/kubepods/pod${uid}/${id}`;
  const decoy = `${parent}/kubepods/pod${uid}/decoy`;
  for (const path of [root, decoy]) mkdirSync(findCgroupDirectory(path), { recursive: true });
  const process = Bun.spawn(["sleep", "600"], { stdio: ["ignore", "ignore", "ignore"] });
  const moveTo = (path: string): void =>
    writeFileSync(`${findCgroupDirectory(path)}/cgroup.procs`, `${process.pid}`);
  moveTo(root);
  const tellApi = (): void =>
    api.put({ uid, name, labels: { app }, containers: [{ id, name: "app", image: "web:1" }] });
  tellApi();
  /** Whether it may start is not what counts here: a call can only add. */
  const call = (cgroupsPath: string, source: "hook" | "synchronize"): Promise<unknown> =>
    callRuntimeHook(
      `unix://${control.socketPath}`,
      {
        ...{ cgroupsPath, containerID: id, podName: name, podUID: uid, podNamespace: "shop" },
        annotations: new Map([
          ["rthooks.v1/learned-by", source],
          ["rthooks.v1/pod-labels", JSON.stringify({ app: "at-its-start" })],
        ]),
      },
      source === "synchronize",
    ).catch(() => {});
  const kill = async (): Promise<void> => {
    process.kill("SIGKILL");
    await process.exited;
  };
  return {
    ...{ uid, root, decoy, rootId: readCgroupId(root), moveTo, tellApi, call },
    child: `${root}/container`,
    kill,
    end: async () => {
      await kill();
      removeCgroup(`${parent}/kubepods/pod${uid}`);
      api.delete(uid);
    },
  };
}

const membersOf = (policy: number): ReadonlySet<bigint> => dumpPolicyFilter(maps).get(policy) ?? new Set();
const isHeld = (id: bigint): boolean => membersOf(allPods).has(id) && membersOf(webPolicy).has(id);

async function restartAgent(): Promise<void> {
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  await control.start();
}

const steps = [
  "call again",
  "call again, by its child",
  "call for another cgroup",
  "list what runs",
  "list what runs, in another cgroup",
  "move into a child",
  "move back and remove the child",
  "delete the pod",
  "tell of the pod",
  "kill the agent",
] as const; // const: the words below

test("a cgroup with processes that was in a policy is still in it, after any steps", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { minLength: 3, maxLength: 10 }), async (chosen) => {
      const container = createContainer("web");
      workspace.onClose(container.kill);
      const { uid, root, rootId, child, decoy, call, moveTo, tellApi } = container;
      let hasChild = false;
      await call(root, "hook");
      await waitFor("it is in its policies", () => isHeld(rootId));
      for (const step of chosen) {
        switch (step) {
          case "call again":
            await call(root, "hook");
            break;
          case "call again, by its child":
            await call(child, "hook");
            break;
          case "call for another cgroup":
            await call(decoy, "hook");
            break;
          case "list what runs":
            await call(root, "synchronize");
            break;
          case "list what runs, in another cgroup":
            await call(decoy, "synchronize");
            break;
          case "move into a child":
            if (!hasChild) mkdirSync(findCgroupDirectory(child));
            hasChild = true;
            moveTo(child);
            break;
          case "move back and remove the child":
            moveTo(root);
            if (hasChild) rmdirSync(findCgroupDirectory(child));
            hasChild = false;
            break;
          case "delete the pod":
            api.delete(uid);
            break;
          case "tell of the pod":
            tellApi();
            break;
          case "kill the agent":
            await restartAgent();
            // In this life no call names the container, and the API server may not have its pod.
            await Bun.sleep(100);
            expect(isHeld(rootId)).toBe(true);
            await restartAgent();
            await call(root, "synchronize");
        }
        expect({ step, isHeld: isHeld(rootId) }).toEqual({ step, isHeld: true });
        // Programs look up the cgroups above that of the process: the child follows its container, and has no entry.
        if (hasChild) expect(isHeld(readCgroupId(child))).toBe(false);
        expect(membersOf(allPods).has(readCgroupId(decoy))).toBe(false);
      }
      tellApi();
      await waitFor("it is known", async () => (await control.agent().containers()).length > 0, 30_000);
      expect(isHeld(rootId)).toBe(true);
      await container.end();
      await waitFor("it is gone", () => !membersOf(allPods).has(rootId), 30_000);
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 240_000);
