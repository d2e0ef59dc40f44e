// SPDX-License-Identifier: Apache-2.0
// What enforcement does is in the explanation of a real container and in the overview of the node.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Explanation, NodeOverview } from "@rthooks/explain";
import { TracingPolicyMode } from "@rthooks/proto";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createActingContainers } from "./acting-container.ts";
import { forbidExecution, toPolicy } from "./policy-sources.ts";

const workspace = createWorkspace("explain-enforced");
const pod = { uid: "9f3f6c1e-2f55-4b0f-8f9b-4a1d5e1f7c41", namespace: "shop", name: "web-0" };
let agent: Agent;

beforeAll(async () => {
  const metadata = { ...pod, labels: { app: "web" } };
  writeFileSync(workspace.path("pods.json"), JSON.stringify({ kind: "Pod", metadata }));
  const policies = workspace.path("policies");
  mkdirSync(policies);
  writeFileSync(join(policies, "no-exec.json"), toPolicy("no-exec", forbidExecution("/forbidden/")));
  writeFileSync(join(policies, "no-hooks.json"), toPolicy("no-hooks", {}));
  agent = await startAgent(workspace, {
    podsFile: workspace.path("pods.json"),
    flags: [
      ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
      ...["--tracing-policy-dir", policies, "--inspect-address", "127.0.0.1:0"],
    ],
  });
  const listed = async () => (await callPolicies(agent.address).list()).policies;
  await waitFor(
    "the policies are in force",
    async () => (await listed()).filter((one) => one.enabled).length === 2,
  );
}, 60_000);
afterAll(() => workspace.close(), 60_000);

async function explain(): Promise<Explanation | undefined> {
  const argv = [findAgent(), "explain", "--server-address", agent.address, "shop/web-0", "-o", "json"];
  const { stdout } = await runProcess(argv);
  // The cast: the agent's own type.
  const { explanations } = JSON.parse(stdout) as { readonly explanations: readonly Explanation[] };
  return explanations[0];
}

test("a policy that acts on a container is explained with its mechanism and what it has done", async () => {
  const runc = createRunc(workspace);
  const overview = `http://${await findInspectorAddress(agent.process)}/api/overview`;
  await createActingContainers(workspace, runc, agent.address).keepRunning(pod, async (attempt) => {
    const matchOf = async (name: string) => (await explain())?.policies.find((one) => one.name === name);
    const before = await matchOf("no-exec");
    // Which one depends on the kernel.
    expect(before?.enforcement?.mechanism).toMatch(
      /^(prevented by lsm|killed before its first instruction)$/,
    );
    expect(before?.enforcement?.counts).toEqual({ matches: 0, denials: 0, signals: 0, withheld: 0 });
    for (let times = 0; times < 3; times++) expect(await attempt()).toBe("killed");
    const after = await matchOf("no-exec");
    expect(after?.selects).toBe(true);
    expect(after?.enforcement?.counts?.matches).toBe(3);
    const { denials = 0, signals = 0 } = after?.enforcement?.counts ?? {};
    expect(denials + signals).toBeGreaterThanOrEqual(3);
    expect((await matchOf("no-hooks"))?.enforcement).toBeUndefined();
    // The cast: the agent's own type.
    const { enforced, enforcedCount } = (await (await fetch(overview)).json()) as NodeOverview;
    expect(enforcedCount).toBe(1);
    const named = { name: "no-exec", namespace: "", domain: "static", mode: "enforce" };
    expect(enforced).toMatchObject([{ ...named, counts: { matches: 3 } }]);
    await callPolicies(agent.address).configure({
      name: "no-exec",
      domain: "static",
      mode: TracingPolicyMode.TP_MODE_MONITOR,
    });
    expect(await attempt()).toBe("done");
    expect((await matchOf("no-exec"))?.enforcement?.counts).toMatchObject({ matches: 4, withheld: 1 });
  });
}, 120_000);
