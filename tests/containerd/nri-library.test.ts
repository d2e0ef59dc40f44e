// SPDX-License-Identifier: Apache-2.0
// The NRI library as a plugin of real containerds, without the rest of the plugin.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import {
  type NriConnection,
  type NriEvent,
  type NriHandlers,
  type NriInventory,
  openNriConnection,
  toEventMask,
} from "@rthooks/nri";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct } from "../harness/first-act.ts";
import { countSessions } from "../harness/nri-plugin.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

type EventHandler = NriHandlers["event"];

interface Probe {
  readonly events: readonly NriEvent[];
  readonly inventory: NriInventory;
  readonly runtime: { readonly name: string; readonly version: string };
  onEvent: EventHandler;
  closedBecause(): string | undefined;
  close(): void;
}

const ok = <T>(value: T) => ({ ok: true, value }) as const;
const ignoreEvent: EventHandler = () => ok(undefined);

/** Registered and synchronized when this returns. */
async function openProbe(containerd: Containerd): Promise<Probe> {
  const sessions = countSessions(containerd);
  const socket: Socket = connect(containerd.nriSocketPath);
  const events: NriEvent[] = [];
  let closedBecause: string | undefined;
  let inventory: NriInventory = { pods: [], containers: [], sizes: new Map(), omitted: 0 };
  let runtime = { name: "", version: "" };
  let onEvent = ignoreEvent;
  const connection: NriConnection = openNriConnection(
    { send: (bytes) => socket.write(bytes.slice()), close: () => socket.destroy() },
    {
      configure: ({ runtimeName, runtimeVersion }) => {
        runtime = { name: runtimeName, version: runtimeVersion };
        return ok(toEventMask(["CreateContainer", "StartContainer", "StopContainer", "RemoveContainer"]));
      },
      synchronize: (whole) => {
        inventory = whole;
        return ok(undefined);
      },
      event: (event, call) => {
        events.push(event);
        return onEvent(event, call);
      },
      closed: (reason) => {
        closedBecause = reason;
      },
    },
    () => performance.now(),
  );
  socket.on("data", (bytes: Buffer) => connection.receive(bytes));
  socket.on("error", (error) => connection.close(error.message));
  socket.on("close", () => connection.close("the socket ended"));
  const registered = await connection.register("probe", "50");
  if (!registered.ok) throw new Error(registered.error.message);
  await waitFor("the probe is synchronized", () => countSessions(containerd) > sessions);
  return {
    events,
    get inventory() {
      return inventory;
    },
    get runtime() {
      return runtime;
    },
    set onEvent(handler: EventHandler) {
      onEvent = handler;
    },
    closedBecause: () => closedBecause,
    close: () => connection.close("the test is over"),
  };
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const workspace = createWorkspace("ctr");
  let containerd: Containerd;
  let probe: Probe;
  beforeAll(async () => {
    containerd = await startContainerd(workspace, release);
    probe = await openProbe(containerd);
  }, 60_000);
  afterAll(async () => {
    probe.close();
    await workspace.close();
  }, 60_000);

  test("it tells its name, and a container's life in order, with the pod's labels", async () => {
    expect(probe.runtime.name).toBe("containerd");
    expect(probe.runtime.version).toContain(release.version);
    const pod = await runPod(containerd, { labels: { app: "web" } });
    const { id } = await pod.runContainer();
    await pod.remove();
    const mine = probe.events.filter(({ container }) => container?.id === id);
    expect(mine.map(({ name }) => name)).toEqual([
      "CreateContainer",
      "StartContainer",
      "StopContainer",
      "RemoveContainer",
    ]);
    expect(mine[1]?.pod).toMatchObject({ uid: pod.uid, name: pod.name, namespace: "shop" });
    expect(mine[1]?.pod.labels.get("app")).toBe("web");
    expect(mine[1]?.container?.pid).toBeGreaterThan(0);
  }, 60_000);

  test("an answer of several frames reaches it whole", async () => {
    const path = workspace.path("length");
    const hook = {
      path: "/bin/sh",
      // Within one environment text's limit, and many times the 4,096 bytes of a first frame.
      args: ["sh", "-c", `echo \${#TEXT} > ${path}`],
      env: [`TEXT=${"x".repeat(100_000)}`],
      timeout: { value: 10n },
    };
    probe.onEvent = ({ name }) =>
      ok(name === "CreateContainer" ? { hooks: { createRuntime: [hook] } } : undefined);
    const pod = await runPod(containerd);
    await pod.runContainer();
    expect(readFileSync(path, "utf8")).toBe("100000\n");
    expect(probe.closedBecause()).toBeUndefined();
    probe.onEvent = ignoreEvent;
    await pod.remove();
  }, 60_000);

  test("an error at StartContainer keeps the container from starting, and the user reads it", async () => {
    probe.onEvent = ({ name }) =>
      name === "StartContainer"
        ? { ok: false, error: { code: grpcCode.unavailable, message: "not in this test" } }
        : ok(undefined);
    const pod = await runPod(containerd);
    const container = await pod.createContainer();
    const error: unknown = await containerd.cri.startContainer(container.id).catch((failure) => failure);
    expect(String(error)).toContain("not in this test");
    expect(findFirstAct(container.outDir)).toBeUndefined();
    expect(probe.closedBecause()).toBeUndefined();
    await pod.remove();
    probe.onEvent = ignoreEvent;
  }, 60_000);

  test("a plugin that comes later is told of what runs", async () => {
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    probe.close();
    probe = await openProbe(containerd);
    expect(probe.inventory.pods.map(({ id }) => id)).toEqual([pod.sandboxId]);
    expect(probe.inventory.containers.map(({ id }) => id)).toEqual([container.id]);
    await pod.remove();
  }, 60_000);

  test("the end of the runtime ends the connection", async () => {
    await containerd.stop();
    await waitFor("the end of the connection", probe.closedBecause);
    await containerd.start();
    probe = await openProbe(containerd);
  }, 60_000);
});
