// SPDX-License-Identifier: Apache-2.0
// Containers that ran before the agent, on real runtimes and without a hook or a plugin: the runtime itself tells of them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startAgent } from "../harness/agent.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

function testCri(release: ContainerdRelease): void {
  const workspace = createWorkspace("cri");
  let containerd: Containerd;
  beforeAll(async () => {
    containerd = await startContainerd(workspace, release);
  }, 60_000);
  afterAll(() => workspace.close(), 120_000);

  test("the agent finds what runs, with its pod's labels and its cgroup, and is told when the runtime comes back", async () => {
    const pod = await runPod(containerd, { labels: { app: "web", tier: "front" } });
    const first = await pod.runContainer({ name: "first" });
    await pod.createContainer({ name: "never-started" });
    const endpoint = `unix://${containerd.dir}/ctd.sock`;
    const flags = ["--enable-cri", "--cri-endpoint", endpoint];
    const agent = await startAgent(workspace, { flags });
    await waitFor("it is found", async () => (await agent.containers()).length > 0);
    const [record, ...others] = await agent.containers();
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      ...{ id: first.id, name: "first", podName: pod.name, podUid: pod.uid, podNamespace: pod.namespace },
      ...{ source: "cri", state: "released", cgroupId: readCgroupId(first.cgroupPath) },
    });
    expect(Object.fromEntries(record?.podLabels ?? [])).toEqual({ app: "web", tier: "front" });
    await agent.stop();

    // An agent that is there first waits for the runtime.
    await containerd.stop();
    const early = await startAgent(workspace, { flags });
    await waitFor("it says so", () =>
      early.process.stderr().includes("cannot list containers from the runtime"),
    );
    await containerd.start();
    await waitFor("it is found", async () => (await early.containers()).length > 0, 20_000);
    await early.stop();
    await pod.remove();
  }, 60_000);
}

for (const release of containerdReleases) describe(`containerd ${release.version}`, () => testCri(release));
