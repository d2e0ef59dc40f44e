// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmdirSync } from "node:fs";
import type { Workspace } from "../../../tests/harness/workspace.ts";
import { findCgroupRoot } from "../cgroups.ts";
import { type ReportedContainer, reportAll } from "../policies/agent-calls.ts";
import { podLabels, startSoakAgent } from "./soak-agent.ts";
import type { SoakLane } from "./soak-lane.ts";

const connections = 8;

/** Cgroups without processes, and the calls that hooks would make: many more than a runtime could start. */
export async function openCallsLane(workspace: Workspace): Promise<SoakLane> {
  const { agent, bpfDir } = await startSoakAgent(workspace);
  const root = findCgroupRoot();
  const parent = `/rthooks-soak-${workspace.tag}`;
  const standing = new Set<string>();
  mkdirSync(root + parent);
  let made = 0;
  const makeOne = (): ReportedContainer => {
    const name = `c-${++made}`;
    const cgroupPath = `${parent}/${name}`;
    mkdirSync(root + cgroupPath);
    standing.add(cgroupPath);
    return { name, cgroupPath, labels: podLabels };
  };
  const remove = async () => {
    for (const path of standing) rmdirSync(root + path);
    standing.clear();
  };
  workspace.onClose(async () => {
    await remove();
    rmdirSync(root + parent);
  });
  return {
    name: "RuntimeHook calls alone",
    pids: { agent: agent.process.pid },
    bpfDir,
    start: async (count) => {
      await reportAll(agent.socketPath, connections, Array.from({ length: count }, makeOne));
    },
    remove,
    countKnown: async () => (await agent.containers()).length,
  };
}
