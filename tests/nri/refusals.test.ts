// SPDX-License-Identifier: Apache-2.0
// What is told of a container that the built plugin refuses, and of a runtime that goes its own way.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { createAgentControl } from "../harness/agent-control.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { startBadAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import type { RuntimeSide } from "../harness/nri-runtime.ts";
import type { RunningProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { container, pod, startBuiltPlugins } from "./built-plugin.ts";

const workspace = createWorkspace("nrir");
afterAll(workspace.close);
const { withPlugin } = startBuiltPlugins(workspace);

const findLine = (plugin: RunningProcess, message: string): Promise<string> =>
  waitFor(`the line "${message}"`, () =>
    plugin
      .stderr()
      .split("\n")
      .find((line) => line.includes(message)),
  );

describe("a container that is denied in direct mode", () => {
  const nowhere = ["--grpc-address", `unix://${workspace.path("nowhere.sock")}`, "--grpc-timeout", "100ms"];

  test("containerd: log and runtime have the reason", () =>
    withPlugin({ version: "0.8" }, "direct", nowhere, async (runtime, plugin) => {
      const answer = await (await runtime.nextPlugin()).sendEvent("StartContainer", pod, container);
      expect(answer.message).toContain("failing container: connecting to agent (context deadline exceeded)");
      const line = await findLine(plugin, "container denied");
      expect(line).toContain("level=warn");
      expect(line).toContain("reason=deadline");
      expect(line).toContain('err="connecting to agent (context deadline exceeded) failed');
      expect(line).toContain('should-fail="failCheck determined that we should fail"');
    }));

  test("CRI-O: the error line says that it starts", () =>
    withPlugin({ version: "0.12", runtimeName: "cri-o" }, "direct", nowhere, async (runtime, plugin) => {
      await (await runtime.nextPlugin()).sendEvent("StartContainer", pod, container);
      const line = await findLine(plugin, "denied container starts");
      expect(line).toContain("level=error");
      expect(line).toContain("reason=deadline");
      expect(plugin.stderr()).not.toContain('"container denied"');
    }));

  test("a deadline of the runtime's own is named as such", async () => {
    const address = await startBadAgent(workspace, "accepts and stays silent");
    const options = { version: "0.8", requestTimeoutMs: 1000 } as const; // const: a version
    await withPlugin(options, "direct", ["--grpc-address", `unix://${address}`], async (runtime) => {
      const answer = await (await runtime.nextPlugin()).sendEvent("StartContainer", pod, container);
      expect(answer.message).toMatch(/no answer from the agent within \d+ms.*plugin_request_timeout/);
    });
  });

  test("an agent that was too slow is told why", async () => {
    const control = createAgentControl(workspace);
    const agent = await control.start();
    const hookArgs = ["--grpc-address", `unix://${control.socketPath}`, "--grpc-timeout", "200ms"];
    await withPlugin({ version: "0.8" }, "direct", hookArgs, async (runtime) => {
      const plugin = await runtime.nextPlugin();
      const answer = await control.whileFrozen(() => plugin.sendEvent("StartContainer", pod, container));
      expect(answer.outcome).toBe("refused");
      await waitFor("the agent's line", () =>
        /container denied by the NRI plugin.*DeadlineExceeded/.test(agent.process.stderr()),
      );
      const record = (await agent.containers()).find(({ id }) => id === container.id);
      if (record !== undefined) expect(record.error).toContain("denied by the NRI plugin");
    });
    await control.end();
  });
});

test("labels that do not fit into an environment: the fail check decides, and the log has the reason", () =>
  withPlugin({ version: "0.8" }, "inject", [], async (runtime, plugin) => {
    const control = await runtime.nextPlugin();
    const labels = { long: "x".repeat(200 << 10) };
    const denied = await control.sendEvent("CreateContainer", { ...pod, labels }, container);
    expect(denied.message).toContain("failing container: the labels of pod shop/web-0 take");
    expect(await findLine(plugin, "container denied")).toContain("reason=no-hook");
    const allowed = await control.sendEvent(
      "CreateContainer",
      { ...pod, namespace: "kube-system", labels },
      container,
    );
    expect(allowed.outcome).toBe("answered");
    expect(await findLine(plugin, "container starts unheld: the fail check allows it")).toContain(
      "reason=no-hook",
    );
  }));

test("the fail check's expression knows the runtime's handler", async () => {
  const expression = 'annotations["rthooks.v1/runtime-handler"] != "kata"';
  const hookArgs = [
    ...["--grpc-address", `unix://${workspace.path("nowhere.sock")}`, "--grpc-timeout", "100ms"],
    ...["--fail-cel-expr", expression],
  ];
  await withPlugin({ version: "0.8" }, "direct", hookArgs, async (runtime) => {
    const control = await runtime.nextPlugin();
    const start = (runtimeHandler: string) =>
      control.sendEvent("StartContainer", { ...pod, runtimeHandler }, container);
    expect((await start("runc")).outcome).toBe("refused");
    expect((await start("")).outcome).toBe("refused");
    expect((await start("kata")).outcome).toBe("answered");
  });
});

describe("a runtime that creates no containers with a hook", () => {
  /** As containerd does when its validator rejects what a plugin changed (UndoCreateContainer). */
  const failToCreate = async (control: RuntimeSide, id: string) => {
    const answer = await control.sendEvent("CreateContainer", pod, { ...container, id });
    await control.sendEvent("StopContainer", pod, { ...container, id });
    await control.sendEvent("RemoveContainer", pod, { ...container, id });
    return answer.adjust;
  };
  const ids = ["a", "b", "c", "d"].map((letter) => letter.repeat(64));

  test("containerd: the plugin holds at StartContainer instead", async () => {
    const agent = await startRecordingAgent(workspace);
    const hookArgs = ["--grpc-address", `unix://${agent.socketPath}`];
    await withPlugin({ version: "0.11" }, "inject", hookArgs, async (runtime, plugin) => {
      const control = await runtime.nextPlugin();
      const adjusts = [];
      for (const id of ids) adjusts.push(await failToCreate(control, id));
      expect(adjusts.map((adjust) => adjust !== undefined)).toEqual([true, true, true, false]);
      expect(await findLine(plugin, "the runtime creates no containers")).toContain(
        "reject_oci_hook_adjustment",
      );
      await control.sendEvent("CreateContainer", pod, container);
      const answer = await control.sendEvent("StartContainer", pod, container);
      expect(answer.outcome).toBe("answered");
      expect(JSON.stringify(agent.requests)).toContain(container.id);
    });
  });

  test("CRI-O, where nothing else holds a container: the hook stays, and an error line says what is wrong", () =>
    withPlugin({ version: "0.11", runtimeName: "cri-o" }, "inject", [], async (runtime, plugin) => {
      const control = await runtime.nextPlugin();
      for (const id of ids) expect(await failToCreate(control, id)).toBeDefined();
      expect(await findLine(plugin, "the runtime creates no containers")).toContain("level=error");
    }));

  test("one that made a container is not taken for one", () =>
    withPlugin({ version: "0.11" }, "inject", [], async (runtime) => {
      const control = await runtime.nextPlugin();
      for (const id of ids) {
        await control.sendEvent("CreateContainer", pod, { ...container, id: `${id}made` });
        await control.sendEvent("PostCreateContainer", pod, { ...container, id: `${id}made` });
        expect(await failToCreate(control, id)).toBeDefined();
      }
    }));
});

test("inject, with an agent that does not tell what it knows: it is asked again for each container", async () => {
  const agent = await startRecordingAgent(workspace);
  const hookArgs = ["--grpc-address", `unix://${agent.socketPath}`];
  await withPlugin({ version: "0.8" }, "inject", hookArgs, async (runtime, plugin) => {
    const control = await runtime.nextPlugin();
    expect((await control.sendEvent("CreateContainer", pod, container)).adjust).toBeDefined();
    expect((await control.sendEvent("StartContainer", pod, container)).outcome).toBe("answered");
    expect(JSON.stringify(agent.requests)).toContain(container.id);
    expect(plugin.stderr()).not.toContain("the injected hook has not called the agent");
  });
});

test("inject, with an agent that ends after the hook: a container is released if its handler is known to run hooks", async () => {
  const cgroup = "/rthooks-nrir/pod1/c1";
  workspace.onClose(() => removeCgroup("/rthooks-nrir"));
  const control = createAgentControl(workspace);
  const agent = await control.start();
  const hookArgs = ["--grpc-address", `unix://${control.socketPath}`, "--grpc-timeout", "200ms"];
  await withPlugin({ version: "0.8" }, "inject", hookArgs, async (runtime) => {
    const plugin = await runtime.nextPlugin();
    const [first, second, third] = ["1", "2", "3"].map((digit) => ({ ...container, id: digit.repeat(64) }));
    if (first === undefined || second === undefined || third === undefined) throw new Error("three");
    const kata = { ...pod, runtimeHandler: "kata" };
    await plugin.sendEvent("CreateContainer", pod, first);
    // As the injected hook does.
    mkdirSync(findCgroupDirectory(cgroup), { recursive: true });
    await callRuntimeHook(`unix://${control.socketPath}`, {
      ...{ cgroupsPath: cgroup, containerID: first.id, podName: pod.name, podNamespace: pod.namespace },
      podUID: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b22",
    });
    expect((await plugin.sendEvent("StartContainer", pod, first)).outcome).toBe("answered");
    await plugin.sendEvent("CreateContainer", pod, second);
    await plugin.sendEvent("CreateContainer", kata, third);
    await control.end();
    expect((await plugin.sendEvent("StartContainer", pod, second)).outcome).toBe("answered");
    expect((await plugin.sendEvent("StartContainer", kata, third)).outcome).toBe("refused");
  });
  expect(agent.process.hasExited()).toBe(true);
});
