// SPDX-License-Identifier: Apache-2.0
// The real containerds alone: what the other tests here build on.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct } from "../harness/first-act.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

test("both kinds of containerd are here: configuration version 2 and 3", () => {
  expect(containerdReleases.map(({ configVersion }) => configVersion)).toEqual([2, 3]);
});

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const workspace = createWorkspace("ctd");
  let containerd: Containerd;
  beforeAll(async () => {
    containerd = await startContainerd(workspace, release);
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  test("it is the version that was asked for", async () => {
    expect((await containerd.cri.version()).runtimeVersion).toStartWith(release.version);
  });

  test("a container runs in a cgroup of its own, is listed, obeys, and goes", async () => {
    const { cri } = containerd;
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    const first = await waitFor("the first act", () => findFirstAct(container.outDir));
    expect(first.cgroupPath).toBe(container.cgroupPath);
    expect(await cri.containerStatus(container.id)).toMatchObject({ state: "CONTAINER_RUNNING" });
    expect(await cri.execSync(container.id, ["/bin/cat", "/proc/1/comm"])).toEqual({
      stdout: "sleep\n",
      exitCode: 0,
    });
    expect(await cri.listContainers()).toMatchObject([{ id: container.id, podSandboxId: pod.sandboxId }]);
    await cri.stopContainer(container.id);
    expect(await cri.containerStatus(container.id)).toMatchObject({
      state: "CONTAINER_EXITED",
      exitCode: 137,
    });
    await pod.remove();
    expect(await cri.listContainers()).toEqual([]);
  }, 30_000);

  test("containers go on while it is restarted", async () => {
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    await containerd.stop();
    await containerd.start();
    expect(await containerd.cri.containerStatus(container.id)).toMatchObject({ state: "CONTAINER_RUNNING" });
    await pod.remove();
  }, 60_000);
});
