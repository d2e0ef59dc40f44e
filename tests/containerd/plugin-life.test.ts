// SPDX-License-Identifier: Apache-2.0
// Many containers, and the ends of agent, containerd and plugin among them: no container is lost, none stays unknown.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { countSessions, type NriMode, startNriPlugin } from "../harness/nri-plugin.ts";
import type { RunningProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { expectSameContainers, type LoadedPod, runLoad, waitForActs } from "./load.ts";

const modes: readonly NriMode[] = ["inject", "direct"];

function testLife(mode: NriMode, release: ContainerdRelease): void {
  const workspace = createWorkspace("ctl");
  let containerd: Containerd;
  let control: AgentControl;
  let plugin: RunningProcess;
  let pods: readonly LoadedPod[] = [];
  const startPlugin = () =>
    startNriPlugin(workspace, containerd, {
      mode,
      hookArgs: [
        ...["--grpc-address", `unix://${control.socketPath}`, "--log-fname", workspace.path("hook.log")],
        ...["--grpc-timeout", "1500ms"],
      ],
    });
  const findRecord = async (id: string | undefined) =>
    (await control.agent().containers()).find((container) => container.id === id);

  beforeAll(async () => {
    // It does not look for itself whether a container is gone: what it forgets, it was told of.
    control = createAgentControl(workspace, ["--sweep-interval", "1h"]);
    await control.start();
    containerd = await startContainerd(workspace, release);
    plugin = await startPlugin();
  }, 60_000);
  afterAll(() => workspace.close(), 120_000);

  test("50 containers at once: all run, and the agent knows each with its own pod's labels", async () => {
    pods = await runLoad(containerd, { pods: 10, each: 5 });
    await waitForActs(pods.flatMap(({ containers }) => containers));
    await expectSameContainers(containerd, control);
    const known = await control.agent().containers();
    for (const pod of pods) {
      for (const { id } of pod.containers) {
        const record = known.find((container) => container.id === id);
        expect(record).toMatchObject({ podUid: pod.uid, podName: pod.name });
        expect(Object.fromEntries(record?.podLabels ?? [])).toMatchObject(pod.labels);
      }
    }
  }, 120_000);

  test("a new agent is told of all that run, with their labels", async () => {
    await control.end();
    await control.start();
    await expectSameContainers(containerd, control);
    const [pod] = pods;
    const record = await findRecord(pod?.containers[0]?.id);
    expect(record).toMatchObject({ podUid: pod?.uid, source: "synchronize" });
    expect(Object.fromEntries(record?.podLabels ?? [])).toMatchObject(pod?.labels ?? {});
  }, 60_000);

  test("a container that stops is forgotten at once, the others of its pod are not", async () => {
    const container = pods[0]?.containers[0];
    if (container === undefined) throw new Error("no load ran");
    await containerd.cri.stopContainer(container.id);
    await expectSameContainers(containerd, control);
  }, 60_000);

  test("containerd restarts: the plugin is back, and holds the next container", async () => {
    // When it was made, not its inode: the next file may well have the number of the last.
    const findSocketMs = () => statSync(containerd.nriSocketPath, { throwIfNoEntry: false })?.ctimeMs;
    const countDials = () => plugin.stderr().match(/configured/g)?.length ?? 0;
    const [oldSocketMs, dials, sessions] = [findSocketMs(), countDials(), countSessions(containerd)];
    await containerd.stop();
    const whenSeen = async (what: string, condition: () => boolean) => {
      await waitFor(what, condition, 30_000);
      return Date.now();
    };
    const configured = whenSeen("containerd configures the plugin", () => countDials() > dials);
    const synchronized = whenSeen("the plugin serves", () => countSessions(containerd) > sessions);
    await containerd.start();
    const [configuredMs, synchronizedMs] = await Promise.all([configured, synchronized]);
    const socketMs = findSocketMs() ?? Number.NaN;
    expect(socketMs).not.toBe(oldSocketMs);
    // Told, not judged: what containerd itself does meanwhile is in it.
    const after = (ms: number) => `${(ms - socketMs).toFixed(0)} ms`;
    console.log(
      `${mode}, containerd ${release.version}: configured ${after(configuredMs)} after its socket was back, ` +
        `synchronized after ${after(synchronizedMs)}`,
    );
    await expectSameContainers(containerd, control);
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    expect(await findRecord(container.id)).toMatchObject({
      podName: pod.name,
      source: mode === "direct" ? "nri" : "hook",
    });
    await pod.remove();
  }, 60_000);

  test("the plugin is killed among starts and started again: all start, none stays unknown", async () => {
    const load = runLoad(containerd, { pods: 4, each: 5 });
    const before = (await containerd.cri.listContainers()).length;
    await waitFor(
      "some of the load",
      async () => (await containerd.cri.listContainers()).length > before + 3,
    );
    plugin.signal("SIGKILL");
    await plugin.exited;
    plugin = await startPlugin();
    await waitForActs((await load).flatMap(({ containers }) => containers));
    await expectSameContainers(containerd, control);
  }, 120_000);

  test("what started without a plugin is known once there is one", async () => {
    plugin.signal("SIGTERM");
    expect((await plugin.exited).exitCode).toBe(0);
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    await waitForActs([container]);
    expect(await findRecord(container.id)).toBeUndefined();
    plugin = await startPlugin();
    await expectSameContainers(containerd, control);
    expect(await findRecord(container.id)).toMatchObject({ podName: pod.name, source: "synchronize" });
    await pod.remove();
    await waitFor("the agent forgets it", async () => (await findRecord(container.id)) === undefined);
  }, 60_000);
}

describe.each(
  modes.flatMap((mode) => containerdReleases.map((release) => ({ mode, version: release.version, release }))),
)("$mode, containerd $version", ({ mode, release }) => testLife(mode, release));
