// SPDX-License-Identifier: Apache-2.0
// The built agent does not need the operator: only the kinds that it has installed.
import { afterAll, expect, test } from "bun:test";
import { startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { startCluster, startOperator } from "./start-operator.ts";

const workspace = createWorkspace("opagent");
afterAll(() => workspace.close());

test("policies of the API server are loaded once the kinds are served, and also when the operator has ended", async () => {
  const cluster = startCluster(workspace);
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", cluster.kubeconfig, "--node-name", "node-1"],
      ...["--enable-tracing-policy-crd", "--tracing-policy-dir", workspace.path("none")],
    ],
  });
  const names = async () =>
    (await callPolicies(agent.address).list()).policies.map(({ name }) => name).toSorted();
  const put = (name: string) =>
    cluster.api.putObject("tracingpolicies", name, {
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name } },
      ...{ spec: { podSelector: { matchLabels: { app: name } } } },
    });
  await waitFor("the kinds are missing", () =>
    agent.process.stderr().includes("does not serve tracingpolicies yet"),
  );
  const operator = startOperator(workspace, cluster);
  await operator.isServing();
  put("with");
  await waitFor("the first policy", async () => (await names()).includes("with"), 60_000);
  operator.process.signal("SIGKILL");
  await operator.process.exited;
  put("without");
  await waitFor("the second policy", async () => (await names()).length === 2, 60_000);
  expect(await names()).toEqual(["with", "without"]);
  await agent.stop();
});
