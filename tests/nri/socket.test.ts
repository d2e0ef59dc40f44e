// SPDX-License-Identifier: Apache-2.0
// The runtime that the tests play, over real sockets: by its path, and as the runtime that launched the plugin.
import { afterAll, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { connect } from "node:net";
import { openNriConnection } from "@rthooks/nri";
import { connectLaunchedPlugin, openNriListener } from "../harness/nri-listener.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { allEvents, ok } from "./memory-plugin.ts";

const workspace = createWorkspace("nri");
afterAll(workspace.close);

async function connectPlugin(socketPath: string) {
  const socket = connect(socketPath);
  let closedBecause: string | undefined;
  const connection = openNriConnection(
    {
      send: (bytes) => void socket.write(bytes),
      queuedBytes: () => socket.writableLength,
      close: () => void socket.destroy(),
    },
    {
      configure: () => ok(allEvents),
      synchronize: () => ok(undefined),
      event: () => ok({ hooks: { createRuntime: [] } }),
      closed(reason) {
        closedBecause = reason;
      },
    },
    () => performance.now(),
  );
  socket.on("data", connection.receive);
  socket.on("error", (error) => connection.close(error.message));
  socket.on("close", () => connection.close("the socket closed"));
  await connection.register("tetragon", "10");
  return { connection, closedBecause: () => closedBecause };
}

test("plugins come one after the other, and are served side by side", async () => {
  const path = workspace.path("a.sock");
  const runtime = await openNriListener(path, { version: "0.12", pods: [{ id: "p" }] });
  const plugins = await Promise.all([connectPlugin(path), connectPlugin(path)]);
  const runtimeSides = [await runtime.nextPlugin(), await runtime.nextPlugin()];
  for (const runtimeSide of runtimeSides) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        runtimeSide.sendEvent("CreateContainer", { id: "p" }, { id: `c${n}` }),
      ),
    );
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["answered"]));
  }
  await runtime.close();
  for (const plugin of plugins) await waitFor("the plugin knows of the end", plugin.closedBecause);
});

test("the end of a plugin is seen, and a runtime that is back takes it again", async () => {
  const path = workspace.path("b.sock");
  const first = await openNriListener(path, { version: "0.6" });
  const plugin = await connectPlugin(path);
  const runtimeSide = await first.nextPlugin();
  plugin.connection.close("enough");
  await waitFor("the runtime knows of the end", runtimeSide.peer.closedBecause);
  expect((await runtimeSide.sendEvent("StartContainer", { id: "p" }, { id: "c" })).outcome).toBe("lost");
  await first.close();
  const second = await openNriListener(path, { version: "0.6" });
  await connectPlugin(path);
  await second.nextPlugin();
  await second.close();
});

test("a plugin that is launched has its connection on fd 3", async () => {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/fixtures/launched-plugin.ts`], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const fd = child.stdio[3];
  if (typeof fd !== "number") throw new Error("no fd of the socket pair");
  const runtimeSide = connectLaunchedPlugin(fd, { version: "0.8" });
  expect(await runtimeSide.ready).toBe("ready");
  expect((await runtimeSide.sendEvent("CreateContainer", { id: "p" }, { id: "c" })).outcome).toBe("answered");
  child.kill("SIGKILL");
  await child.exited;
  await waitFor("the runtime knows of the end", runtimeSide.peer.closedBecause);
  closeSync(fd);
});
