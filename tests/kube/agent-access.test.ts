// SPDX-License-Identifier: Apache-2.0
// The built agent and an API server that is not there yet, refuses or does not answer: its health says so, and containers
// start with the identity of their hook calls.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { failure } from "../harness/kube-answers.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { startTcpRelay } from "../harness/tcp-relay.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("kaccess");
afterAll(() => workspace.close(), 60_000);

const start = (path: string, ...more: readonly string[]): Promise<Agent> =>
  startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", path, "--node-name", "node-1", "--pod-wait", "700ms"],
      ...["--tracing-policy-dir", workspace.path("none"), ...more],
    ],
  });

async function health(agent: Agent): Promise<string> {
  const { stdout } = await agent.status("-o", "json");
  const status: { readonly health: string } = JSON.parse(stdout);
  return status.health;
}

let count = 0;
const uidOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** As a hook tells of a container of the pod, which has a cgroup. */
async function announce(agent: Agent, uid: string, podName: string): Promise<void> {
  const cgroupsPath = `/kubepods-${workspace.tag}/pod${uid}/c${++count}`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  await callRuntimeHook(agent.address, { cgroupsPath, podUID: uid, podName, podNamespace: "shop" });
}
workspace.onClose(() => removeCgroup(`/kubepods-${workspace.tag}`));

const isPodQuestion = ({ pathname }: URL): boolean => /\/pods\/.+/.test(pathname);

describe("a container of a pod that the watch does not report starts with the identity of its hook call where the request for the pod", () => {
  test.each<[string, (api: KubeApi) => Promise<Response> | Response]>([
    ["gets no answer in time", () => new Promise(() => {})],
    ["is not allowed", () => failure(403, "forbidden")],
    ["meets a fault of the server", () => failure(500, "etcdserver: request timed out")],
    ["meets too many requests", () => failure(429, "too many requests")],
    [
      "ends at a load balancer without a server",
      () => new Response("default backend - 404", { status: 404 }),
    ],
    ["gets what is no pod", () => new Response("<html>")],
  ])("%s", async (_, answer) => {
    const api = startKubeApi(workspace);
    const agent = await start(writeKubeconfig(workspace, api));
    await waitFor("it watches", async () => (await health(agent)) === "running");
    api.intercept = (url) => (isPodQuestion(url) ? answer(api) : undefined);
    await announce(agent, uidOf(1), "web-1");
    expect((await agent.containers()).map(({ podName }) => podName)).toEqual(["web-1"]);
    await waitFor("the reason", () => agent.process.stderr().includes("using the identity of the hook call"));
    await agent.stop();
  });
});

test("it is refused where the server has no such pod, or another one of the name", async () => {
  const api = startKubeApi(workspace);
  const agent = await start(writeKubeconfig(workspace, api));
  await waitFor("it watches", async () => (await health(agent)) === "running");
  api.put({ uid: uidOf(9), name: "web-1", nodeName: "node-2" });
  for (const name of ["web-1", "none"]) {
    await expect(announce(agent, uidOf(2), name)).rejects.toThrow("is not known to the API server");
  }
  await agent.stop();
});

test("a partition is in health as soon as the server is asked for a pod, and is over when it is over", async () => {
  const api = startKubeApi(workspace);
  const relay = await startTcpRelay(workspace, Number(new URL(api.url).port));
  const url = `https://127.0.0.1:${relay.port}`;
  const agent = await start(writeKubeconfig(workspace, { ...api, url }));
  await waitFor("it watches", async () => (await health(agent)) === "running");
  relay.freeze();
  await announce(agent, uidOf(3), "cut-off");
  const problem = await waitFor(
    "it is in health",
    async () => {
      const text = await health(agent);
      return text !== "running" && text;
    },
    20_000,
  );
  expect(problem).toContain(`watch on pods lost, pods may be out of date: no bytes for`);
  relay.cut();
  relay.thaw();
  api.put({ uid: uidOf(3), name: "cut-off", labels: { app: "web" } });
  await waitFor(
    "its labels",
    async () => (await agent.containers())[0]?.podLabels.get("app") === "web",
    30_000,
  );
  await waitFor("health is well", async () => (await health(agent)) === "running");
  await agent.stop();
}, 90_000);

test("refused watches of policies are problems of health, and one of the node as soon as a policy asks for its labels", async () => {
  const api = startKubeApi(workspace);
  const refusals = (kinds: RegExp): void => {
    api.intercept = ({ pathname }) =>
      kinds.test(pathname) ? failure(403, "forbidden: cannot list") : undefined;
  };
  refusals(/policies|nodes/);
  const agent = await start(writeKubeconfig(workspace, api), "--enable-tracing-policy-crd");
  const lost = (what: string): string =>
    `watch on ${what} lost, ${what} may be out of date: ${api.url} answered 403: forbidden`;
  const problems = await waitFor("both", async () => {
    const text = await health(agent);
    return text.includes("tracingpoliciesnamespaced") && !text.includes("pods of") && text;
  });
  for (const what of ["tracingpolicies", "tracingpoliciesnamespaced"]) expect(problems).toContain(lost(what));
  expect(api.requests.some(({ pathname }) => pathname.includes("nodes"))).toBe(false);
  refusals(/nodes/);
  api.putObject("tracingpolicies", "u-1", {
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "on-some" } },
    ...{ spec: { nodeSelector: { matchLabels: { disk: "ssd" } } } },
  });
  await waitFor("the node", async () => (await health(agent)).includes(lost("node labels")), 60_000);
  await agent.stop();
}, 90_000);

describe("a kubeconfig", () => {
  test("that comes after the agent, and its authority after that, is used as soon as it is there", async () => {
    const api = startKubeApi(workspace);
    api.put({ uid: uidOf(4), name: "web-1", labels: { app: "web" } });
    const path = workspace.path("late-kubeconfig");
    const ca = workspace.path("late-ca.crt");
    const agent = await start(path);
    await waitFor("the reason", async () => (await health(agent)).includes(`cannot read ${path}: ENOENT`));
    writeFileSync(path, "");
    await waitFor("the next reason", async () => (await health(agent)).includes(`${path} is empty`), 20_000);
    writeKubeconfig(workspace, api, { "certificate-authority": ca }, path);
    await waitFor("the last reason", async () => (await health(agent)).includes(ca), 20_000);
    writeFileSync(ca, api.certs.ca);
    await waitFor("it is up to date", async () => (await health(agent)) === "running", 30_000);
    await announce(agent, uidOf(4), "web-1");
    expect((await agent.containers())[0]?.podLabels.get("app")).toBe("web");
    await agent.stop();
  }, 90_000);

  test("with a byte order mark is read, and one in which a key stands twice is refused with its path", async () => {
    const api = startKubeApi(workspace);
    const path = workspace.path("marked");
    const text = `current-context: c
contexts: [{ name: c, context: { cluster: k, user: u } }]
clusters: [{ name: k, cluster: { server: "${api.url}", certificate-authority: ${api.certs.caPath} } }]
users: [{ name: u, user: { token: ${api.token} } }]
`;
    writeFileSync(path, `\uFEFF${text}`);
    const agent = await start(path);
    await waitFor("it is up to date", async () => (await health(agent)) === "running");
    await agent.stop();
    writeFileSync(path, text.replace("token: ", "token: other, token: "));
    const argv = [findAgent(), "--server-address", `unix://${workspace.path("never.sock")}`, "--info-file="];
    const flags = ["--enable-k8s-api", "--k8s-kubeconfig-path", path, "--node-name", "node-1"];
    const { exitCode, stderr } = await startProcess([...argv, ...flags], {}, workspace).exited;
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`--k8s-kubeconfig-path ${path}: users[0].user.token: duplicate key`);
  });
});
