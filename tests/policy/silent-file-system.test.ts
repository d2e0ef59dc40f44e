// SPDX-License-Identifier: Apache-2.0
// Policies and pods on a file system that does not answer: the agent serves without them, says so, and ends when it is
// told to.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { runProcess, startProcess } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("silent");
afterAll(() => workspace.close());

const mount = workspace.path("nfs");

beforeAll(async () => {
  mkdirSync(mount);
  const server = startProcess(
    [findTool("python3"), join(import.meta.dir, "../harness/silent-file-system.py"), mount],
    { stdin: "open" },
    workspace,
  );
  await waitFor("the file system is mounted", () => server.stdout().includes("mounted"));
  workspace.onClose(() => runProcess([findTool("umount"), "--lazy", mount]));
});

test.each([
  ["the policy files are not read yet", ["--tracing-policy-dir", mount]],
  [
    "the pods file",
    ["--pods-file", join(mount, "pods.json"), "--tracing-policy-dir", workspace.path("none")],
  ],
])(
  "%s: the agent does everything else",
  async (problem, flags) => {
    const agent = await startAgent(workspace, { flags });
    expect((await agent.status()).stderr).toContain(problem);
    const client = callPolicies(agent.address);
    await client.add(
      "{apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: a}, spec: {kprobes: []}}",
    );
    expect((await client.list()).policies).toHaveLength(1);
    expect(await agent.stop()).toMatchObject({ exitCode: 0 });
  },
  120_000,
);
