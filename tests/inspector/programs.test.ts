// SPDX-License-Identifier: Apache-2.0
// The built programs with --inspect-address, seen by the receiver of @statelyai/inspect as npm has it: a real container's
// start in the agent, and the NRI session of the plugin.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createMachine } from "xstate";
import { startAgent } from "../harness/agent.ts";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { openNriListener } from "../harness/nri-listener.ts";
import { minimalEnv, runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook, findSetup } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { container as nriContainer, pod as nriPod, startBuiltPlugins } from "../nri/built-plugin.ts";
import { listStates } from "./list-states.ts";
import { listActors, receive } from "./receive.ts";

const workspace = createWorkspace("inspector");
afterAll(() => workspace.close());

const pod = { uid: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b22", namespace: "shop", name: "web-0" };

test("a real container's start in the agent, state by state", async () => {
  const agent = await startAgent(workspace, { flags: ["--inspect-address", "127.0.0.1:0"] });
  const received = await receive(agent.process);
  const runc = createRunc(workspace);
  const id = `seen-${workspace.tag}`;
  const args = ["tetragon-oci-hook", "createRuntime", "--grpc-address", agent.address];
  const bundle = createBundle(workspace, {
    id,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${id}`,
    annotations: containerdAnnotations({ ...pod, container: "web" }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        { path: findHook(), args: [...args, "--log-fname", workspace.path("seen.log")], env: [] },
      ],
    },
  });
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  const name = `container:${id}`;
  await waitFor("the container is released", () => listStates(received, name).includes("released"));
  expect(listStates(received, name)).toEqual(["identified", "placed", "registered", "released"]);
  const actors = received.filter((event) => event.type === "@xstate.actor");
  const container = actors.find((event) => event.type === "@xstate.actor" && event.name === name);
  const parent = actors.find((event) => event.sessionId === Reflect.get(container ?? {}, "parentId"));
  expect(parent).toMatchObject({ name: pod.uid });
  for (const actor of [container, parent]) {
    const definition: unknown = JSON.parse(String(Reflect.get(actor ?? {}, "definition")));
    // The cast: a machine from another process has no type.
    const machine = createMachine(definition as Parameters<typeof createMachine>[0]);
    expect(Object.keys(machine.states)).toContain("gone");
  }
  writeFileSync(join(bundle.outDir, "end"), "");
  expect((await running.exited).exitCode).toBe(0);
  await waitFor("the container is gone", () => listStates(received, name).includes("gone"), 20_000);
  await agent.stop();
}, 60_000);

test("the NRI session of the plugin", async () => {
  const { withPlugin } = startBuiltPlugins(workspace);
  const flags = ["--inspect-address", "127.0.0.1:0"];
  await withPlugin(
    { version: "0.8" },
    "direct",
    [],
    async (runtime, plugin) => {
      const runtimeSide = await runtime.nextPlugin();
      expect(await runtimeSide.ready).toBe("ready");
      const received = await receive(plugin);
      await waitFor("the session", () => received.length > 0);
      expect(received[0]).toMatchObject({
        type: "@xstate.actor",
        name: "nriSession",
        snapshot: { value: { connected: "serving" } },
      });
    },
    flags,
  );
}, 60_000);

test("the NRI session of the set-up tool's plugin, and a container that it holds", async () => {
  const { newSocketPath } = startBuiltPlugins(workspace);
  const socketPath = newSocketPath();
  const runtime = await openNriListener(socketPath, { version: "0.8" });
  const setup = startProcess(
    [
      ...[findSetup(), "install", "--interface", "nri-hook", "--daemonize", "--nri-hook.socket", socketPath],
      ...[
        "--nri-hook.mode",
        "direct",
        "--nri-hook.inspect-address",
        "127.0.0.1:0",
        "--local-binary",
        findHook(),
      ],
      ...["--host-install-dir", workspace.path("installed"), "hook-args", "--grpc-timeout", "100ms"],
      ...["--grpc-address", `unix://${workspace.path("none.sock")}`],
    ],
    {},
    workspace,
  );
  try {
    const runtimeSide = await runtime.nextPlugin();
    expect(await runtimeSide.ready).toBe("ready");
    const received = await receive(setup);
    await waitFor("the session", () => listActors(received, "nriSession").length > 0);
    await runtimeSide.sendEvent("StartContainer", nriPod, nriContainer);
    const name = `hook:${nriContainer.id}`;
    await waitFor("the denial", () => listStates(received, name).includes("denied"));
    expect(listStates(received, name)).toContainEqual({ active: { reaching: "connecting" } });
  } finally {
    setup.signal("SIGTERM");
    await setup.exited;
    await runtime.close();
  }
}, 60_000);

test.each([
  ["0.0.0.0:0", "0.0.0.0 is not a loopback address: give --inspect-token-file"],
  ["unix:///x", "unix:///x is not an address: use host:port"],
])(
  "the address %s is an error that says what to do",
  async (address, message) => {
    const flags = ["--inspect-address", address, "--server-address", `unix://${workspace.path("none.sock")}`];
    const { exitCode, stderr } = await runProcess([findAgent(), "--info-file=", ...flags], {
      env: minimalEnv,
    });
    expect(stderr).toContain(`tetragon: --inspect-address ${message}`);
    expect(exitCode).toBe(1);
  },
  60_000,
);
