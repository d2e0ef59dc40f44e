// SPDX-License-Identifier: Apache-2.0
// The built agent's overview of its node at the inspector: a start that waits for its pod, one that is refused, a source
// that becomes stale.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import type { NodeOverview } from "@rthooks/explain";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("overview");
afterAll(() => workspace.close(), 60_000);

const uid = "00000000-0000-4000-8000-000000000001";
const containerId = `c-${workspace.tag}`;
const cgroupsPath = `/kubepods-${workspace.tag}/pod${uid}/${containerId}`;
const podNames = { podUID: uid, podName: "web-1", podNamespace: "shop" };

async function readOverview(agent: Agent): Promise<NodeOverview> {
  const address = await findInspectorAddress(agent.process);
  const response = await fetch(`http://${address}/api/overview`);
  expect(response.status).toBe(200);
  // The cast: what the agent sends is what this test is about.
  return (await response.json()) as NodeOverview;
}

test("the agent's overview follows starts and sources", async () => {
  workspace.onClose(() => removeCgroup(`/kubepods-${workspace.tag}`));
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  const api = startKubeApi(workspace);
  api.intercept = ({ pathname }) => (/\/pods\/.+/.test(pathname) ? new Promise(() => {}) : undefined);
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--pod-wait", "1h", "--tracing-policy-dir", workspace.path("none")],
      ...["--inspect-address", "127.0.0.1:0"],
    ],
  });
  const call = callRuntimeHook(agent.address, { ...podNames, cgroupsPath, containerID: containerId });
  const waiting = await waitFor("a start that waits", async () => {
    const overview = await readOverview(agent);
    // The agent's watch of the pods may begin after the call.
    return overview.heldCount === 1 && overview.problems.length === 0 ? overview : undefined;
  });
  expect(waiting).toMatchObject({ node: "node-1", containers: [], deniedCount: 0 });
  expect(waiting.held).toMatchObject([
    { containerId, namespace: "shop", pod: "web-1", container: "app", state: "" },
  ]);
  expect(waiting.held[0]?.sinceMs).toBeLessThanOrEqual(waiting.atMs);

  api.put({ uid, name: "web-1" });
  await call;
  const released = await readOverview(agent);
  expect(released).toMatchObject({ heldCount: 0, held: [], deniedCount: 0 });
  expect(released.containers).toEqual([{ state: "released", source: "hook", count: 1 }]);
  expect(released.interfaces).toMatchObject([{ name: "OCI hook", containers: 1 }]);

  const refused = { ...podNames, containerID: "other", cgroupsPath };
  await callRuntimeHook(agent.address, refused).catch(() => {});
  const { denied, deniedCount } = await readOverview(agent);
  expect(deniedCount).toBe(1);
  expect(denied).toMatchObject([
    {
      containerId: "other",
      namespace: "shop",
      pod: "web-1",
      by: "agent",
      failure: { kind: "cgroup-conflict" },
    },
  ]);

  api.failsWith = 500;
  api.cut();
  const { sources, problems } = await waitFor("a stale source", async () => {
    const overview = await readOverview(agent);
    return overview.sources.some(({ state }) => state === "stale") ? overview : undefined;
  });
  expect(problems).toHaveLength(1);
  expect(sources).toMatchObject([
    { name: "API server: pods", state: "stale", problem: problems[0], sinceMs: expect.any(Number) },
    { name: "pods file", state: "off" },
    { name: "CRI", state: "off" },
    { name: "NRI plugin", state: "off" },
    { name: "hook log", state: "off" },
    { name: "policy files", state: "current" },
    { name: "kept policies", state: "off" },
    { name: "API server: policies", state: "off" },
  ]);
  await agent.stop();
}, 120_000);
