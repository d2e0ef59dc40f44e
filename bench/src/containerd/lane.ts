// SPDX-License-Identifier: Apache-2.0
import type { AgentControl } from "../../../tests/harness/agent-control.ts";
import { type Containerd, startContainerd } from "../../../tests/harness/containerd.ts";
import { type Pod, runPod } from "../../../tests/harness/containerd-pod.ts";
import type { ContainerdRelease } from "../../../tests/harness/containerd-release.ts";
import { type NriMode, startNriPlugin } from "../../../tests/harness/nri-plugin.ts";
import type { Workspace } from "../../../tests/harness/workspace.ts";

/** A containerd of its own, alike in all but the plugin. */
export interface Lane {
  readonly name: string;
  /** Times one container's way through CRI and removes it afterwards, unmeasured. */
  startOne(): Promise<StartTimes>;
  /** The same for many at once. */
  startMany(count: number): Promise<readonly StartTimes[]>;
}

export interface StartTimes {
  readonly createMs: number;
  readonly startMs: number;
}

const script = "exec sleep 2147483647";

async function timeStart({ cri }: Containerd, pod: Pod): Promise<StartTimes & { readonly id: string }> {
  const beganNs = Bun.nanoseconds();
  const { id } = await pod.createContainer({ script });
  const createdNs = Bun.nanoseconds();
  await cri.startContainer(id);
  const startedNs = Bun.nanoseconds();
  return { id, createMs: (createdNs - beganNs) / 1e6, startMs: (startedNs - createdNs) / 1e6 };
}

export async function openLane(
  workspace: Workspace,
  release: ContainerdRelease,
  name: string,
  plugin?: { readonly mode: NriMode; readonly control: AgentControl; readonly hookPath?: string },
): Promise<Lane> {
  const containerd = await startContainerd(workspace, release);
  if (plugin !== undefined) {
    await startNriPlugin(workspace, containerd, {
      mode: plugin.mode,
      ...(plugin.hookPath === undefined ? {} : { hookPath: plugin.hookPath }),
      hookArgs: [
        ...["--grpc-address", `unix://${plugin.control.socketPath}`],
        ...["--log-fname", workspace.path(`${name}.log`)],
      ],
    });
  }
  const pod = await runPod(containerd);
  const startMany = async (count: number) => {
    const all = await Promise.all(Array.from({ length: count }, () => timeStart(containerd, pod)));
    await Promise.all(all.map(({ id }) => containerd.cri.removeContainer(id)));
    return all;
  };
  return {
    name,
    startOne: async () => {
      const times = await timeStart(containerd, pod);
      await containerd.cri.removeContainer(times.id);
      return times;
    },
    startMany,
  };
}
