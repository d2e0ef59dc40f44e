// SPDX-License-Identifier: Apache-2.0
// Containers whose specifications are too large for one message of NRI: no later container starts unheld for them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { type Pod, type PodContainer, runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { hasWritten } from "../harness/first-act.ts";
import { type NriMode, startNriPlugin } from "../harness/nri-plugin.ts";
import type { RunningProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

/** 1.5 MiB: a program may get two, and no single variable of 128 KiB. */
const largeEnv = Object.fromEntries(
  Array.from({ length: 13 }, (_, n) => [`BIG_${n}`, "x".repeat(120 << 10)]),
);

const errorOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "",
    (error: unknown) => String(error),
  );

function testRelease(release: ContainerdRelease): void {
  const workspace = createWorkspace("ctb");
  const metricsPath = workspace.path("metrics.sock");
  let containerd: Containerd;
  let control: AgentControl;
  beforeAll(async () => {
    control = createAgentControl(workspace);
    await control.start();
    containerd = await startContainerd(workspace, release);
  }, 60_000);
  afterAll(() => workspace.close(), 300_000);

  const startPlugin = (mode: NriMode, isServing = true): Promise<RunningProcess> =>
    startNriPlugin(workspace, containerd, {
      mode,
      isServing,
      flags: ["--metrics-address", `unix://${metricsPath}`],
      hookArgs: [
        ...["--grpc-address", `unix://${control.socketPath}`, "--log-fname", workspace.path("hook.log")],
        ...["--grpc-timeout", "500ms"],
      ],
    });
  const stopPlugin = async (plugin: RunningProcess): Promise<void> => {
    plugin.signal("SIGTERM");
    await plugin.exited;
  };
  const readMetric = async (name: string): Promise<string | undefined> => {
    // Not there while the plugin starts.
    const answer = await fetch("http://localhost/metrics", { unix: metricsPath }).catch(() => undefined);
    return (await answer?.text())?.match(new RegExp(`^tetragon_nri_hook_${name} (\\S+)$`, "m"))?.[1];
  };
  const createLarge = (pod: Pod, count: number): Promise<readonly PodContainer[]> =>
    Promise.all(Array.from({ length: count }, () => pod.createContainer({ env: largeEnv })));

  /** No agent answers: what is held is denied. */
  async function expectHeld(): Promise<void> {
    await control.end();
    const pod = await runPod(containerd);
    const container = await pod.createContainer();
    expect(await errorOf(containerd.cri.startContainer(container.id))).toContain("failing container");
    expect(hasWritten(container.outDir)).toBe(false);
    await pod.remove();
    await control.start();
  }

  const serves = () =>
    waitFor("the plugin serves", async () => (await readMetric("serving")) === "1", 30_000);

  // containerd 1.7.24 sends one message of up to 16 MiB, 2.1.9 any number of 4 MiB.
  const isWhole = release.configVersion === 2;
  if (isWhole) {
    test("a synchronization of more than 4 MiB is taken", async () => {
      const pod = await runPod(containerd);
      for (const { id } of await createLarge(pod, 4)) await containerd.cri.startContainer(id);
      const plugin = await startPlugin("direct");
      await expectHeld();
      await stopPlugin(plugin);
      await pod.remove();
    }, 300_000);
  }

  test("what the runtime cannot send: an error with its cause, and an end to it once the containers are gone", async () => {
    const pod = await runPod(containerd);
    for (const { id } of await createLarge(pod, isWhole ? 12 : 4)) await containerd.cri.startContainer(id);
    const plugin = await startPlugin("direct", false);
    await waitFor("the failure is logged", () =>
      /level=error msg="the runtime did not synchronize this plugin; containers start unheld" err=/.test(
        plugin.stderr(),
      ),
    );
    expect(await readMetric("serving")).toBe("0");
    expect(await readMetric("unsynchronized")).toBe("1");
    const isInStatus = async () => (await control.agent().status()).stderr.includes("did not synchronize");
    await waitFor("the agent's status has it", isInStatus);
    await pod.remove();
    await serves();
    expect(await readMetric("unsynchronized")).toBe("0");
    await waitFor("the agent's status has it no more", async () => !(await isInStatus()));
    await expectHeld();
    await stopPlugin(plugin);
  }, 300_000);

  test.each(["inject", "direct"] as const)(
    "%s: a container that does not fit into an event does not start, and the next one is held",
    async (mode) => {
      const plugin = await startPlugin(mode);
      const pod = await runPod(containerd);
      const env = Object.fromEntries(
        Object.entries(largeEnv).flatMap(([key, value]) => ["a", "b", "c"].map((n) => [key + n, value])),
      );
      const start = async () => containerd.cri.startContainer((await pod.createContainer({ env })).id);
      // The runtime's words where it cannot send the event, the plugin's where it can.
      expect(await errorOf(start())).toMatch(/larger than 4 MiB|exceed maximum message size/);
      await expectHeld();
      await pod.remove();
      await stopPlugin(plugin);
    },
    300_000,
  );

  // The same rule as for containers: here where four are enough.
  if (!isWhole) {
    test("a pod whose labels could not be described is not run, and the next container is held", async () => {
      // 1.3 MiB, as many as an API server takes.
      const value = "v".repeat(63);
      const labels = Object.fromEntries(
        Array.from({ length: 10_000 }, (_, n) => [`${"l".repeat(50)}${String(n).padStart(5, "0")}`, value]),
      );
      let plugin = await startPlugin("direct");
      const pods: Pod[] = [];
      const errors: string[] = [];
      for (let n = 0; n < 4 && errors.length === 0; n++) {
        await runPod(containerd, { labels }).then(
          (pod) => pods.push(pod),
          (error: unknown) => errors.push(String(error)),
        );
      }
      expect(pods.length).toBeGreaterThan(0);
      expect(errors[0]).toMatch(/failing pod: the pod takes \d+ bytes/);
      await stopPlugin(plugin);
      plugin = await startPlugin("direct");
      await expectHeld();
      for (const pod of pods) await pod.remove();
      await stopPlugin(plugin);
    }, 300_000);
  }

  test.each(["inject", "direct"] as const)(
    "%s: a container that a synchronization could not list is denied, with the reason",
    async (mode) => {
      let plugin = await startPlugin(mode);
      const pod = await runPod(containerd);
      const start = async () => {
        const { id } = await pod.createContainer({ env: largeEnv });
        await containerd.cri.startContainer(id);
      };
      const errors: string[] = [];
      for (let n = 0; n < 12; n++) errors.push(await errorOf(start()));
      expect(errors[0]).toBe("");
      expect(errors.at(-1)).toMatch(/failing container: the container takes \d+ bytes/);
      expect(plugin.stderr()).toContain("too-large");
      expect(Number(await readMetric("too_large_total"))).toBeGreaterThan(0);
      await stopPlugin(plugin);
      plugin = await startPlugin(mode);
      await expectHeld();
      await pod.remove();
      await stopPlugin(plugin);
    },
    300_000,
  );
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", testRelease);
