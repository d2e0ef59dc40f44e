// SPDX-License-Identifier: Apache-2.0
// A start that waits for its pod to arrive from the API server, in `tetragon status` and `tetragon watch`.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("waiting");
afterAll(() => workspace.close(), 60_000);

const uid = "00000000-0000-4000-8000-000000000001";
const containerId = `c-${workspace.tag}`;
const cgroupsPath = `/kubepods-${workspace.tag}/pod${uid}/${containerId}`;

test("a start that waits is shown as waiting, and its release as the change from it", async () => {
  workspace.onClose(() => removeCgroup(`/kubepods-${workspace.tag}`));
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  const api = startKubeApi(workspace);
  api.intercept = ({ pathname }) => (/\/pods\/.+/.test(pathname) ? new Promise(() => {}) : undefined);
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--pod-wait", "1h", "--tracing-policy-dir", workspace.path("none")],
    ],
  });
  const watch = startProcess(
    [findAgent(), "watch", "--server-address", agent.address, "-o", "json"],
    {},
    workspace,
  );
  const changes = (): readonly string[] =>
    watch
      .stdout()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "change")
      .map(({ from, to, event }) => `${from} > ${to} (${event})`);
  await waitFor("the watch has begun", () => watch.stdout().includes("all-recorded"), 60_000);
  const call = callRuntimeHook(agent.address, {
    ...{ podUID: uid, podName: "web-1", podNamespace: "shop", cgroupsPath, containerID: containerId },
  });
  await waitFor("the wait", () => changes().length === 1, 60_000);
  expect((await agent.status()).stdout).toMatch(/\nshop +web-1 +app +waiting +\d+s +hook /);
  api.put({ uid, name: "web-1" });
  await call;
  await waitFor("the release", () => changes().length === 2, 60_000);
  expect(changes()).toEqual([" > waiting (call.waits)", "waiting > released (answer.sent)"]);
  expect((await agent.status()).stdout).toMatch(/\nshop +web-1 +app +released /);
  await agent.stop();
}, 120_000);
