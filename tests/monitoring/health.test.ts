// SPDX-License-Identifier: Apache-2.0
// The health service of the built programs says what is the case.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync } from "node:fs";
import { createServer } from "node:net";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { checkByPython, checkHealth, listHealth, watchHealth } from "../harness/health-client.ts";
import { startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { type NriListener, openNriListener } from "../harness/nri-listener.ts";
import { runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook, findSetup } from "../harness/programs.ts";
import { readValue, scrape } from "../harness/promtool.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { startBuiltPlugins } from "../nri/built-plugin.ts";

const workspace = createWorkspace("health");
afterAll(() => workspace.close(), 60_000);

/** A port that is free now. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

let metricsSockets = 0;
async function start(
  flags: readonly string[] = [],
): Promise<{ agent: Agent; health: string; metrics: string }> {
  const health = `127.0.0.1:${await findPort()}`;
  const metrics = workspace.path(`m${metricsSockets++}.sock`);
  const agent = await startAgent(workspace, {
    flags: [
      ...["--health-server-address", health, "--health-server-interval", "50ms"],
      ...["--metrics-server", `unix://${metrics}`, "--tracing-policy-dir", workspace.path("none"), ...flags],
    ],
  });
  await waitFor(
    "the health service listens",
    async () => (await checkHealth(health, "liveness")) !== "UNAVAILABLE",
  );
  return { agent, health, metrics };
}

const ready = { liveness: "SERVING", readiness: "SERVING", "": "SERVING" };
const alive = { liveness: "SERVING", readiness: "NOT_SERVING", "": "NOT_SERVING" };

describe("an agent without problems", () => {
  test("serves, to the clients of grpc-js and of Python", async () => {
    const { agent, health, metrics } = await start();
    expect(await listHealth(health)).toEqual(ready);
    for (const service of ["liveness", "readiness", ""]) {
      expect(await checkHealth(health, service)).toBe("SERVING");
      expect(await checkByPython(health, service)).toEqual(["0801", "0801"]);
    }
    expect(await checkHealth(health, "tetragon")).toBe("NOT_FOUND");
    expect(await checkByPython(health, "tetragon")).toEqual(["NOT_FOUND", "0803"]);
    const text = await scrape(metrics);
    expect(readValue(text, 'tetragon_health_serving{service="liveness"}')).toBe(1);
    expect(readValue(text, 'tetragon_health_serving{service="readiness"}')).toBe(1);
    await agent.stop();
  }, 60_000);

  test("is alive no longer when hooks do not find its socket, and again when they do", async () => {
    const { agent, health, metrics } = await start();
    const watch = watchHealth(health, "liveness");
    await waitFor("the first status", () => watch.seen.at(-1) === "SERVING");
    renameSync(agent.socketPath, `${agent.socketPath}.gone`);
    await waitFor("the second", () => watch.seen.at(-1) === "NOT_SERVING");
    const down = 'tetragon_health_serving{service="liveness"}';
    await waitFor("the metric", async () => readValue(await scrape(metrics), down) === 0);
    renameSync(`${agent.socketPath}.gone`, agent.socketPath);
    await waitFor("the third", () => watch.seen.at(-1) === "SERVING");
    expect(watch.seen).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
    watch.close();
    await agent.stop();
  }, 60_000);

  test("says NOT_SERVING while it answers its last calls, and then ends the watch", async () => {
    const api = startKubeApi(workspace);
    const parent = `/rth-${workspace.tag}`;
    const uid = "00000000-0000-4000-8000-000000000001";
    const cgroupsPath = `${parent}/pod${uid}/c`;
    mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
    workspace.onClose(() => removeCgroup(parent));
    const { agent, health } = await start([
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--pod-wait", "30s"],
    ]);
    await waitFor("it is ready", async () => (await checkHealth(health, "readiness")) === "SERVING");
    const call = callRuntimeHook(agent.address, {
      ...{ cgroupsPath, podUID: uid, podName: "late", podNamespace: "shop" },
    });
    const watches = ["liveness", "readiness", ""].map((service) => watchHealth(health, service));
    await waitFor("the first status", () => watches.every(({ seen }) => seen.length === 1));
    await waitFor("the call waits", async () =>
      api.requests.some(({ pathname }) => pathname.endsWith("/late")),
    );
    const stopped = agent.stop();
    await waitFor("the second", () => watches.every(({ seen }) => seen.at(-1) === "NOT_SERVING"));
    expect(agent.process.hasExited()).toBe(false);
    api.put({ uid, name: "late" });
    await call;
    await stopped;
    await waitFor("the watches end", () => watches.every(({ hasEnded }) => hasEnded()));
    for (const watch of watches) watch.close();
  }, 60_000);
});

describe("an agent is alive and not ready", () => {
  test("when the kernel does not have the policy filter that was asked for", async () => {
    const { agent, health } = await start(["--enable-policy-filter", "--bpf-dir", workspace.path("no-bpf")]);
    expect(await listHealth(health)).toEqual(alive);
    await agent.stop();
  }, 60_000);

  test("until the API server has been read once; an API server that is lost later changes nothing", async () => {
    const api = startKubeApi(workspace);
    api.failsWith = 503;
    const { agent, health, metrics } = await start([
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1"],
    ]);
    expect(await listHealth(health)).toEqual(alive);
    const watch = watchHealth(health, "readiness");
    await waitFor("the first status", () => watch.seen.at(-1) === "NOT_SERVING");
    api.failsWith = undefined;
    await waitFor("the second", () => watch.seen.at(-1) === "SERVING", 60_000);
    api.failsWith = 503;
    api.cut();
    const stale = 'tetragon_health_problems{part="pods"}';
    await waitFor("a stale source", async () => readValue(await scrape(metrics), stale) === 1, 60_000);
    expect(await listHealth(health)).toEqual(ready);
    expect(watch.seen).toEqual(["NOT_SERVING", "SERVING"]);
    watch.close();
    await agent.stop();
  }, 120_000);

  test("until the pods file has been read once", async () => {
    const { agent, health } = await start(["--pods-file", workspace.path("missing.json")]);
    expect(await listHealth(health)).toEqual(alive);
    await Bun.write(workspace.path("missing.json"), '{"kind":"PodList","apiVersion":"v1","items":[]}');
    await waitFor("it is ready", async () => (await checkHealth(health, "readiness")) === "SERVING");
    await agent.stop();
  }, 60_000);
});

describe("the address", () => {
  test("that another program has is an error that names the flag", async () => {
    const { agent, health } = await start();
    const second = await runProcess([
      ...[findAgent(), "--server-address", `unix://${workspace.path("second.sock")}`, "--info-file="],
      ...["--tracing-policy-dir", workspace.path("none"), "--health-server-address", health],
    ]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`--health-server-address ${health}: `);
    await agent.stop();
  }, 60_000);

  test.each(["/run/health.sock", "unix:///run/health.sock", "6789", "tls://a:1"])(
    "%s is refused",
    async (address) => {
      const { exitCode, stderr } = await runProcess([
        ...[findAgent(), "--server-address", `unix://${workspace.path("third.sock")}`, "--info-file="],
        ...["--tracing-policy-dir", workspace.path("none"), "--health-server-address", address],
      ]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`--health-server-address ${address}: use host:port`);
    },
    60_000,
  );

  test("without a host, and an interval in seconds, are Tetragon's", async () => {
    const port = await findPort();
    const flags = [`--health-server-address=:${port}`, "--health-server-interval=10"];
    const agent = await startAgent(workspace, {
      flags: [...flags, "--tracing-policy-dir", workspace.path("none")],
    });
    await waitFor("it serves", async () => (await checkHealth(`127.0.0.1:${port}`, "")) === "SERVING");
    await agent.stop();
  }, 60_000);
});

describe("the NRI plugin is alive, and ready while the runtime has synchronized it", () => {
  const { newSocketPath, withPlugin } = startBuiltPlugins(workspace);

  async function expectHealth(runtime: NriListener, health: string): Promise<void> {
    await runtime.nextPlugin();
    await waitFor("it is ready", async () => (await checkHealth(health, "readiness")) === "SERVING");
    expect(await listHealth(health)).toEqual(ready);
    const watch = watchHealth(health, "");
    await waitFor("the first status", () => watch.seen.at(-1) === "SERVING");
    await runtime.close();
    await waitFor("the second", () => watch.seen.at(-1) === "NOT_SERVING");
    expect(await checkHealth(health, "liveness")).toBe("SERVING");
    watch.close();
  }

  test("as a program of its own", async () => {
    const health = `127.0.0.1:${await findPort()}`;
    const flags = ["--health-server-address", health, "--health-server-interval", "20ms"];
    await withPlugin({ version: "0.8" }, "direct", [], (runtime) => expectHealth(runtime, health), flags);
  }, 60_000);

  test("inside the set-up tool", async () => {
    const health = `127.0.0.1:${await findPort()}`;
    const socketPath = newSocketPath();
    const runtime = await openNriListener(socketPath, { version: "0.8" });
    const setup = startProcess(
      [
        ...[findSetup(), "install", "--interface", "nri-hook", "--daemonize"],
        ...["--nri-hook.socket", socketPath, "--nri-hook.mode", "direct", "--local-binary", findHook()],
        ...["--nri-hook.health-server-address", health, "--nri-hook.health-server-interval", "20ms"],
        ...["--host-install-dir", workspace.path("installed")],
      ],
      {},
      workspace,
    );
    try {
      await expectHealth(runtime, health);
    } finally {
      setup.signal("SIGTERM");
      await setup.exited;
      await runtime.close();
    }
    expect((await setup.exited).exitCode).toBe(0);
  }, 60_000);

  test("unless the interval is none", async () => {
    const { exitCode, stderr } = await runProcess([
      ...[findSetup(), "install", "--interface", "nri-hook", "--daemonize", "--local-binary", findHook()],
      ...["--nri-hook.health-server-address", "127.0.0.1:0", "--nri-hook.health-server-interval", "often"],
      ...["--nri-hook.socket", newSocketPath(), "--host-install-dir", workspace.path("not-installed")],
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('--health-server-interval: \\"often\\" is not a duration');
  }, 60_000);
});
