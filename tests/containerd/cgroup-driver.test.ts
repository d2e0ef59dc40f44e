// SPDX-License-Identifier: Apache-2.0
// The kubelet uses the systemd cgroup driver and runc does not: runc makes another cgroup than the runtime's path names.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct } from "../harness/first-act.ts";
import { startNriPlugin } from "../harness/nri-plugin.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

function testRelease(release: ContainerdRelease): void {
  const workspace = createWorkspace("ctg");
  let containerd: Containerd;
  let control: AgentControl;
  beforeAll(async () => {
    control = createAgentControl(workspace);
    await control.start();
    containerd = await startContainerd(workspace, release);
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  test.each(["inject", "direct"] as const)(
    "%s: a container is known by the cgroup that its process is in",
    async (mode) => {
      const plugin = await startNriPlugin(workspace, containerd, {
        mode,
        hookArgs: [
          "--grpc-address",
          `unix://${control.socketPath}`,
          "--log-fname",
          workspace.path("hook.log"),
        ],
      });
      const pod = await runPod(containerd, { cgroupParent: `${containerd.cgroupParent}.slice` });
      const container = await pod.runContainer();
      const first = await waitFor("its first act", () => findFirstAct(container.outDir));
      const record = (await control.agent().containers()).find(({ id }) => id === container.id);
      expect(record).toMatchObject({
        state: "released",
        podName: pod.name,
        cgroupPath: first.cgroupPath,
        cgroupId: readCgroupId(first.cgroupPath),
      });
      expect(first.cgroupPath).toContain(`.slice:cri-containerd:${container.id}`);
      if (mode === "direct") expect(plugin.stderr()).toContain("is not the cgroup of process");
      plugin.signal("SIGTERM");
      await plugin.exited;
      await pod.remove();
      removeCgroup(first.cgroupPath);
    },
    60_000,
  );
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", testRelease);
