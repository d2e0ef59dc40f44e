// SPDX-License-Identifier: Apache-2.0
import { callPolicies } from "../../../tests/harness/agent-client.ts";
import { waitFor } from "../../../tests/harness/wait.ts";
import { type AgentProcess, startAgent } from "../agent/agent-process.ts";

/** An agent that has so many policies of the directory in force. */
export async function startEnforcing(
  dir: string,
  bpfDir: string,
  policyDir: string,
  count: number,
  flags: readonly string[] = [],
): Promise<AgentProcess> {
  const agent = await startAgent(dir, [
    ...["--bpf-dir", bpfDir, "--tracing-policy-dir", policyDir, "--enable-policy-filter"],
    ...["--cluster-filters", "127", "--log-level", "warn", ...flags],
  ]);
  await waitFor(
    "the policies are in force",
    async () => {
      const { policies } = await callPolicies(`unix://${agent.socketPath}`).list();
      const failed = policies.find(({ error }) => error !== "");
      if (failed !== undefined) throw new Error(`${failed.name}: ${failed.error}`);
      return policies.length === count && policies.every(({ enabled }) => enabled);
    },
    60_000,
  );
  return agent;
}
