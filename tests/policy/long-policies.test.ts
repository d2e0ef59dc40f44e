// SPDX-License-Identifier: Apache-2.0
// A policy of a megabyte takes the agent long to parse: the calls that come meanwhile are answered.
import { afterAll, expect, test } from "bun:test";
import { startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("long");
afterAll(() => workspace.close());

/** JSON is YAML. */
const longPolicy = (name: string, version = 0) => ({
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name },
  spec: {
    podSelector: { matchLabels: { version: `v${version}` } },
    kprobes: Array.from({ length: 9000 }, (_, at) => ({
      call: `sys_x${at}`,
      args: [{ index: 0 }],
      selectors: [{ matchActions: [{ action: "Sigkill" }] }],
    })),
  },
});
/** One thread for both answers some calls before the policy has come to it, and none while it parses. */
const MANY = 50;

test("that comes by a call", async () => {
  const agent = await startAgent(workspace, { flags: ["--tracing-policy-dir", workspace.path("none")] });
  const client = callPolicies(agent.address);
  let isAdded = false;
  const adding = client.add(JSON.stringify(longPolicy("called"))).finally(() => {
    isAdded = true;
  });
  let answers = 0;
  for (; !isAdded; answers++) await client.domains();
  await adding;
  expect(answers).toBeGreaterThan(MANY);
}, 60_000);

test("that is an object of the API server and changes", async () => {
  const api = startKubeApi(workspace);
  api.putObject("tracingpolicies", "long", longPolicy("long"));
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--enable-tracing-policy-crd"],
      ...["--tracing-policy-dir", workspace.path("none")],
    ],
  });
  const client = callPolicies(agent.address);
  const countUses = (): number =>
    agent.process.stderr().split("tracing policy of the API server added").length - 1;
  await waitFor("the object is in force", () => countUses() > 0, 60_000);
  let answers = 0;
  const before = countUses();
  api.putObject("tracingpolicies", "long", longPolicy("long", 1));
  for (; countUses() === before; answers++) await client.domains();
  expect(answers).toBeGreaterThan(MANY);
}, 120_000);
