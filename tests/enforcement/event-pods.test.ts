// SPDX-License-Identifier: Apache-2.0
// What events have of a pod of the API server: its workload from the start, its container's image and start once the
// status has them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createAgentControl } from "../harness/agent-control.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { minimalEnv, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type ActingContainers, createActingContainers } from "./acting-container.ts";

const workspace = createWorkspace("evpods");
let api: KubeApi;
let address: string;
let containers: ActingContainers;

beforeAll(async () => {
  const runc = createRunc(workspace);
  api = startKubeApi(workspace);
  const control = createAgentControl(workspace, [
    ...[
      "--enable-k8s-api",
      "--k8s-kubeconfig-path",
      writeKubeconfig(workspace, api),
      "--node-name",
      "node-1",
    ],
    ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
    ...["--tracing-policy-dir", workspace.path("none")],
  ]);
  await control.start();
  address = `unix://${control.socketPath}`;
  containers = createActingContainers(workspace, runc, address);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

interface ShownPod {
  readonly container: { readonly id: string };
}

test("events have the workload, and image and start once the kubelet has written the status", async () => {
  const pod = { uid: "9f3f6c1e-2f55-4b0f-8f9b-4a1d5e1f7c43", namespace: "shop", name: "web-5d9c-x2x4z" };
  const known = {
    ...pod,
    ...{ labels: { "pod-template-hash": "5d9c" }, generateName: "web-5d9c-" },
    ownerReferences: [{ kind: "ReplicaSet", name: "web-5d9c", controller: true }],
  };
  api.put(known);
  const client = startProcess(
    [findAgent(), "events", "-o", "json", "--server-address", address, "--namespace", "shop"],
    { env: minimalEnv },
    workspace,
  );
  const shown = (): readonly ShownPod[] =>
    client
      .stdout()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .flatMap(({ process_exec: exec }) => (exec === undefined ? [] : [exec.process.pod]));
  await containers.keepRunning(pod, async (attempt) => {
    await waitFor("an event", async () => {
      await attempt();
      return shown().length > 0;
    });
    const [first] = shown();
    expect(first).toMatchObject({ workload: "web", workload_kind: "Deployment" });
    expect(first?.container).not.toHaveProperty("start_time");

    // The first status on the node says which runtime the node has.
    const id = first?.container.id ?? "";
    expect(id).not.toContain("://");
    const status = { name: "app", image: "docker.io/library/web:1", imageID: "docker.io/web@sha256:1" };
    api.put({ ...known, containers: [{ id, ...status }] });
    await waitFor("what the status has", async () => {
      await attempt();
      return JSON.stringify(shown().at(-1)).includes("start_time");
    });
    expect(shown().at(-1)).toMatchObject({
      ...{ workload: "web", workload_kind: "Deployment" },
      container: {
        ...{ id: `containerd://${id}`, image: { id: "docker.io/web@sha256:1" } },
        ...{ start_time: "2026-01-01T00:00:00Z", pid: expect.any(Number) },
      },
    });
  });
  client.signal("SIGTERM");
  await client.exited;
}, 120_000);
