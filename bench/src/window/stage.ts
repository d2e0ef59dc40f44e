// SPDX-License-Identifier: Apache-2.0
// All that the scenarios share: a root file system, an API server, an agent that is started and killed, policies.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { callPolicies } from "../../../tests/harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../../../tests/harness/agent-control.ts";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import { buildBare } from "../../../tests/harness/build-bare.ts";
import { createRootFs } from "../../../tests/harness/bundle.ts";
import { removeCgroup } from "../../../tests/harness/cgroup.ts";
import { type KubeApi, startKubeApi } from "../../../tests/harness/kube-api.ts";
import { writeKubeconfig } from "../../../tests/harness/kubeconfig.ts";
import { runProcess } from "../../../tests/harness/process.ts";
import { waitFor } from "../../../tests/harness/wait.ts";
import type { Workspace } from "../../../tests/harness/workspace.ts";
import { type Action, parseAttempts } from "./attempt-log.ts";
import { paths, writePolicies } from "./policies.ts";

export interface Stage {
  readonly workspace: Workspace;
  readonly api: KubeApi;
  readonly control: AgentControl;
  readonly rootfs: string;
  /** Parent of the cgroups of all pods. */
  readonly cgroupParent: string;
  /** Starts the agent; ends when it has the policies in force. */
  startAgent(): Promise<void>;
  killAgent(): Promise<void>;
  /** CLOCK_BOOTTIME, which the containers write. */
  readClock(): Promise<bigint>;
}

/** RTHOOKS_AGENT_FLAGS: more flags of the agent, separated by spaces. */
const moreFlags = (process.env["RTHOOKS_AGENT_FLAGS"] ?? "").split(" ").filter(Boolean);

export async function setStage(workspace: Workspace, wanted: readonly Action[]): Promise<Stage> {
  const program = buildBare(join(import.meta.dir, "attempts.c"), workspace.dir);
  const rootfs = workspace.path("rootfs");
  createRootFs(rootfs);
  mkdirSync(join(rootfs, "forbidden"));
  for (const path of [paths.forbidden, paths.allowed]) copyFileSync(program, join(rootfs, path));
  const api = startKubeApi(workspace);
  const policies = writePolicies(workspace.path("policies"), wanted);
  const bpfDir = join(mountBpfFs(workspace), "tetragon");
  const control = createAgentControl(workspace, [
    ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
    ...["--node-name", "node-1", "--enable-policy-filter", "--bpf-dir", bpfDir],
    ...["--tracing-policy-dir", workspace.path("policies"), "--log-level", "warn", ...moreFlags],
  ]);
  const cgroupParent = `/rthooks-window-${workspace.tag}`;
  workspace.onClose(() => removeCgroup(cgroupParent));
  const isInForce = async (): Promise<boolean> => {
    const { policies: listed } = await callPolicies(control.agent().address).list();
    const failed = listed.find(({ error }) => error !== "");
    if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error}`);
    return listed.length === policies.length && listed.every(({ enabled }) => enabled);
  };
  return {
    ...{ workspace, api, control, rootfs, cgroupParent },
    startAgent: async () => {
      await control.start();
      await waitFor("the policies are in force", isInForce, 60_000);
    },
    killAgent: async () => {
      const { process } = control.agent();
      process.signal("SIGKILL");
      await process.exited;
    },
    readClock: async () => {
      const { stdout } = await runProcess([program, "clock"]);
      return parseAttempts(stdout)[0]?.endedNs ?? 0n;
    },
  };
}
