// SPDX-License-Identifier: Apache-2.0
import { startContainerd } from "../../../tests/harness/containerd.ts";
import { type Pod, runPod } from "../../../tests/harness/containerd-pod.ts";
import type { ContainerdRelease } from "../../../tests/harness/containerd-release.ts";
import { type NriMode, startNriPlugin } from "../../../tests/harness/nri-plugin.ts";
import type { Workspace } from "../../../tests/harness/workspace.ts";
import { podLabels, startSoakAgent } from "./soak-agent.ts";
import { forEachOf, type SoakLane } from "./soak-lane.ts";

const containersPerPod = 10;
const atOnce = 4;
const script = "exec sleep 2147483647";

/** Containers of containerd in pods of ten; a pod's own sandbox, which no policy is about, is not counted. */
export async function openNriLane(
  workspace: Workspace,
  release: ContainerdRelease,
  mode: NriMode,
): Promise<SoakLane> {
  const { agent, bpfDir } = await startSoakAgent(workspace);
  const containerd = await startContainerd(workspace, release);
  const plugin = await startNriPlugin(workspace, containerd, {
    mode,
    hookArgs: ["--grpc-address", agent.address, "--log-fname", workspace.path("hook.log")],
  });
  const pods = new Set<Pod>();
  const startPod = async (size: number) => {
    const pod = await runPod(containerd, { labels: podLabels });
    pods.add(pod);
    for (let n = 0; n < size; n++) await pod.runContainer({ script });
  };
  return {
    name: `containerd ${release.version}, NRI ${mode}`,
    pids: { agent: agent.process.pid, plugin: plugin.pid },
    bpfDir,
    start: (count) => {
      const sizes = Array.from({ length: Math.ceil(count / containersPerPod) }, (_, n) =>
        Math.min(containersPerPod, count - n * containersPerPod),
      );
      return forEachOf(sizes, atOnce, startPod);
    },
    remove: () =>
      forEachOf([...pods], atOnce, async (pod) => {
        await pod.remove();
        pods.delete(pod);
      }),
    countKnown: async () => (await agent.containers()).length,
  };
}
