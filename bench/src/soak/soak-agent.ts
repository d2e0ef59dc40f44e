// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../../../tests/harness/agent.ts";
import { mountBpfFs } from "../../../tests/harness/bpf-fs.ts";
import type { Workspace } from "../../../tests/harness/workspace.ts";

/** A policy whose map has every container, beside the map of all pods. */
const webPolicy = JSON.stringify({
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name: "web" },
  spec: { podSelector: { matchLabels: { app: "web" } } },
});
export const podLabels = { app: "web" };

/** The agent with its flags as on a node, and all that it can have of the kernel. */
export async function startSoakAgent(
  workspace: Workspace,
): Promise<{ readonly agent: Agent; readonly bpfDir: string }> {
  const bpfDir = join(mountBpfFs(workspace), "tetragon");
  writeFileSync(workspace.path("web.json"), webPolicy);
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-policy-filter", "--enable-policy-filter-cgroup-map", "--bpf-dir", bpfDir],
      ...["--tracing-policy", workspace.path("web.json"), "--tracing-policy-dir", workspace.path("none")],
    ],
  });
  return { agent, bpfDir };
}
