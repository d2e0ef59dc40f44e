// SPDX-License-Identifier: Apache-2.0
// The built plugin with every version of the runtime's side, also such as cannot be installed here.
import { afterAll, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { startBadAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import { connectLaunchedPlugin, openNriListener } from "../harness/nri-listener.ts";
import { nriVersions } from "../harness/nri-versions.ts";
import { toMuxFrame, toTtrpcMessage } from "../harness/nri-wire.ts";
import { findHook, findNriPlugin } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { container, pod, startBuiltPlugins } from "./built-plugin.ts";

const workspace = createWorkspace("nrip");
afterAll(workspace.close);

const { newSocketPath, startPlugin, withPlugin } = startBuiltPlugins(workspace);

describe.each(nriVersions.map((version) => ({ version })))("NRI $version", ({ version }) => {
  test("inject adds one hook, with the pod's labels in its environment", () =>
    withPlugin({ version }, "inject", ["--grpc-address", "unix:///run/x.sock"], async (runtime) => {
      const runtimeSide = await runtime.nextPlugin();
      const answer = await runtimeSide.sendEvent("CreateContainer", pod, container);
      expect(answer.outcome).toBe("answered");
      const text = JSON.stringify(answer.adjust);
      expect(text).toContain("unix:///run/x.sock");
      expect(text).toContain("RTHOOKS_POD=");
      expect((await runtimeSide.sendEvent("StopContainer", pod, container)).outcome).toBe("answered");
      expect((await runtimeSide.sendEvent("RemoveContainer", pod, container)).outcome).toBe("answered");
    }));

  test("direct asks the agent at StartContainer", async () => {
    const agent = await startRecordingAgent(workspace);
    await withPlugin(
      { version },
      "direct",
      ["--grpc-address", `unix://${agent.socketPath}`],
      async (runtime) => {
        const runtimeSide = await runtime.nextPlugin();
        expect((await runtimeSide.sendEvent("CreateContainer", pod, container)).outcome).toBe(
          "not-subscribed",
        );
        const answer = await runtimeSide.sendEvent("StartContainer", pod, container);
        expect(answer.outcome).toBe("answered");
        expect(answer.method).toBe(version === "0.12" ? "StartContainer" : "StateChange");
        expect(JSON.stringify(agent.requests.at(-1))).toContain(container.id);
      },
    );
  });

  test("direct answers in time although the agent does not", async () => {
    const address = await startBadAgent(workspace, "accepts and stays silent");
    await withPlugin({ version }, "direct", ["--grpc-address", `unix://${address}`], async (runtime) => {
      const runtimeSide = await runtime.nextPlugin();
      const answers = await Promise.all([
        runtimeSide.sendEvent("StartContainer", pod, container),
        runtimeSide.sendEvent("StartContainer", pod, { ...container, id: "d".repeat(64) }),
      ]);
      for (const { outcome } of answers) expect(["answered", "refused"]).toContain(outcome);
      expect(runtimeSide.peer.closedBecause()).toBeUndefined();
    });
  });

  test("a runtime that is back has its plugin back, and what runs is told anew", async () => {
    const agent = await startRecordingAgent(workspace);
    const hookArgs = ["--grpc-address", `unix://${agent.socketPath}`];
    await withPlugin({ version }, "inject", hookArgs, async (runtime, _, socketPath) => {
      await runtime.nextPlugin();
      await runtime.close();
      const running = { ...container, state: 3 };
      const again = await openNriListener(socketPath, { version, pods: [pod], containers: [running] });
      try {
        const runtimeSide = await again.nextPlugin();
        expect((await runtimeSide.sendEvent("CreateContainer", pod, container)).outcome).toBe("answered");
        await waitFor("the agent is told of what runs", () => agent.requests.length > 0);
        expect(JSON.stringify(agent.requests)).toContain(container.id);
      } finally {
        await again.close();
      }
    });
  });

  test("a plugin that the runtime launches is configured over fd 3", async () => {
    const child = Bun.spawn([findNriPlugin(), "--oci-hook-path", findHook()], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      env: { NRI_PLUGIN_NAME: "tetragon", NRI_PLUGIN_IDX: "10", NRI_PLUGIN_SOCKET: "3" },
    });
    try {
      const fd = child.stdio[3];
      if (typeof fd !== "number") throw new Error("no fd of the socket pair");
      const runtimeSide = connectLaunchedPlugin(fd, { version });
      expect(await runtimeSide.ready).toBe("ready");
      expect((await runtimeSide.sendEvent("CreateContainer", pod, container)).outcome).toBe("answered");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  });
});

describe("a runtime that misbehaves", () => {
  const garbage: Readonly<Record<string, (socket: Socket) => void>> = {
    "closes at once": (socket) => void socket.destroy(),
    "sends zeros": (socket) => void socket.write(Buffer.alloc(1 << 20)),
    "sends a frame without an end": (socket) => {
      socket.write(
        Buffer.concat([Buffer.from([0, 0, 0, 1, 255, 255, 255, 255]), Buffer.alloc(1 << 20, 255)]),
      );
    },
    "sends text": (socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(1000)),
    "answers where it should ask": (socket) => {
      socket.write(toMuxFrame(1, toTtrpcMessage({ streamId: 1, type: 2, body: Buffer.from("x") })));
    },
    "refuses the registration": (socket) => {
      socket.write(
        toMuxFrame(2, toTtrpcMessage({ streamId: 1, type: 2, body: Buffer.from("0a02080c", "hex") })),
      );
    },
  };
  for (const [name, act] of Object.entries(garbage)) {
    test(`one that ${name} does not end the plugin, which serves the next`, async () => {
      const socketPath = newSocketPath();
      let connections = 0;
      const sockets = new Set<Socket>();
      const bad = createServer((socket) => {
        connections++;
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("data", () => undefined);
        act(socket);
        socket.end();
      });
      await new Promise<void>((resolve) => bad.listen(socketPath, resolve));
      const plugin = startPlugin(socketPath, "inject");
      // The second connection tells that the first is done with.
      await waitFor("the plugin connects again", () => connections > 1);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => bad.close(() => resolve()));
      const good = await openNriListener(socketPath, { version: "0.8" });
      try {
        const runtimeSide = await good.nextPlugin();
        expect((await runtimeSide.sendEvent("CreateContainer", pod, container)).outcome).toBe("answered");
        expect(plugin.hasExited()).toBe(false);
      } finally {
        plugin.signal("SIGKILL");
        await plugin.exited;
        await good.close();
      }
    });
  }

  test("1,000 events at once are all answered", () =>
    withPlugin({ version: "0.12", requestTimeoutMs: 20_000 }, "inject", [], async (runtime) => {
      const runtimeSide = await runtime.nextPlugin();
      const answers = await Promise.all(
        Array.from({ length: 1000 }, (_, n) =>
          runtimeSide.sendEvent("CreateContainer", pod, { ...container, id: `c${n}` }),
        ),
      );
      expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["answered"]));
    }));
});
