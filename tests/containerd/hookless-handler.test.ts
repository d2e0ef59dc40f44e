// SPDX-License-Identifier: Apache-2.0
// inject mode where hooks are added and a runtime handler runs none: no container starts unheld, and it is told.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { hooklessHandler } from "../harness/containerd-config.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct, hasWritten, unixMicros } from "../harness/first-act.ts";
import { startNriPlugin } from "../harness/nri-plugin.ts";
import type { RunningProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

function testRelease(release: ContainerdRelease): void {
  const workspace = createWorkspace("cth");
  const metricsPath = workspace.path("metrics.sock");
  let containerd: Containerd;
  let control: AgentControl;
  let plugin: RunningProcess;
  beforeAll(async () => {
    control = createAgentControl(workspace);
    await control.start();
    containerd = await startContainerd(workspace, release);
    plugin = await startNriPlugin(workspace, containerd, {
      mode: "inject",
      flags: ["--metrics-address", `unix://${metricsPath}`],
      hookArgs: [
        ...["--grpc-address", `unix://${control.socketPath}`, "--log-fname", workspace.path("hook.log")],
        ...["--grpc-timeout", "1s", "--fail-allow-namespaces", "ops"],
      ],
    });
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  const readMetrics = async () => (await fetch("http://localhost/metrics", { unix: metricsPath })).text();
  const findRecord = async (id: string) =>
    (await control.agent().containers()).find((container) => container.id === id);
  const runHookless = (namespace = "shop") =>
    runPod(containerd, { namespace, runtimeHandler: hooklessHandler });

  test("the agent knows the container before it starts, and log and metrics name the handler", async () => {
    const pod = await runHookless();
    const container = await pod.runContainer();
    const first = await waitFor("its first act", () => findFirstAct(container.outDir));
    const record = await findRecord(container.id);
    expect(record).toMatchObject({ podName: pod.name, state: "released", source: "nri" });
    expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first.unixMicros);
    const line = plugin
      .stderr()
      .split("\n")
      .find((text) => text.includes("the injected hook has not called the agent"));
    expect(line).toContain(`handler=${hooklessHandler}`);
    expect(line).toContain(container.id);
    expect(await readMetrics()).toContain(`tetragon_nri_hook_unhooked_total{handler="${hooklessHandler}"} 1`);
    await pod.remove();
  }, 60_000);

  test("it does nothing while the agent does not answer", async () => {
    const pod = await runHookless();
    const container = await pod.createContainer();
    const { starting, thawedMicros } = await control.whileFrozen(async () => {
      const starting = containerd.cri.startContainer(container.id);
      await Bun.sleep(500);
      expect(hasWritten(container.outDir)).toBe(false);
      return { starting, thawedMicros: unixMicros() };
    });
    await starting;
    const first = await waitFor("its first act", () => findFirstAct(container.outDir));
    expect(first.unixMicros).toBeGreaterThan(thawedMicros);
    await pod.remove();
  }, 60_000);

  test("without an agent it is denied, or starts where the rules allow that, with an error line", async () => {
    const pods = { denied: await runHookless(), allowed: await runHookless("ops") };
    await control.end();
    const denied = await pods.denied.createContainer();
    const error: unknown = await containerd.cri.startContainer(denied.id).catch((failure) => failure);
    expect(String(error)).toContain("failing container: connecting to agent");
    expect(hasWritten(denied.outDir)).toBe(false);
    const allowed = await pods.allowed.createContainer();
    await containerd.cri.startContainer(allowed.id);
    await waitFor("the error line", () =>
      plugin
        .stderr()
        .split("\n")
        .some(
          (text) =>
            text.includes("level=error") &&
            text.includes("container starts unheld: the fail check allows it") &&
            text.includes(`handler=${hooklessHandler}`) &&
            text.includes(allowed.id),
        ),
    );
    await control.start();
    for (const pod of Object.values(pods)) await pod.remove();
  }, 60_000);

  test("a handler that runs hooks is not counted", async () => {
    const before = await readMetrics();
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    expect(await findRecord(container.id)).toMatchObject({ state: "released", source: "hook" });
    const count = (text: string) => text.match(/^tetragon_nri_hook_unhooked_total.*$/gm);
    expect(count(await readMetrics())).toEqual(count(before));
    await pod.remove();
  }, 60_000);
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", testRelease);
