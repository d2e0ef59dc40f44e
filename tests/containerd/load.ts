// SPDX-License-Identifier: Apache-2.0
import { expect } from "bun:test";
import type { AgentControl } from "../harness/agent-control.ts";
import type { Containerd } from "../harness/containerd.ts";
import { type Pod, type PodContainer, runPod } from "../harness/containerd-pod.ts";
import { findFirstAct } from "../harness/first-act.ts";
import { waitFor } from "../harness/wait.ts";

export interface LoadedPod extends Pod {
  readonly containers: readonly PodContainer[];
}

/** All pods at once, then all their containers at once. */
export async function runLoad(
  containerd: Containerd,
  size: { readonly pods: number; readonly each: number },
): Promise<readonly LoadedPod[]> {
  const pods = await Promise.all(
    Array.from({ length: size.pods }, (_, n) => runPod(containerd, { labels: { pod: `number-${n}` } })),
  );
  return await Promise.all(
    pods.map(async (pod) => ({
      ...pod,
      containers: await Promise.all(Array.from({ length: size.each }, () => pod.runContainer())),
    })),
  );
}

export async function waitForActs(containers: readonly PodContainer[]): Promise<void> {
  for (const { outDir } of containers) await waitFor("a first act", () => findFirstAct(outDir));
}

/** Waits until the agent has released exactly the containers that run; what differs is the failure's text. */
export async function expectSameContainers(containerd: Containerd, control: AgentControl): Promise<void> {
  const findDifference = async () => {
    const [listed, known] = await Promise.all([
      containerd.cri.listContainers(),
      control.agent().containers(),
    ]);
    const running = listed.filter(({ state }) => state === "CONTAINER_RUNNING").map(({ id }) => id);
    const released = known.filter(({ state }) => state === "released").map(({ id }) => id);
    return {
      unknown: running.filter((id) => !released.includes(id)),
      ended: released.filter((id) => !running.includes(id)),
    };
  };
  const same = { unknown: [], ended: [] };
  await waitFor("the same containers", async () => Bun.deepEquals(await findDifference(), same)).catch(
    async () => expect(await findDifference()).toEqual(same),
  );
}
