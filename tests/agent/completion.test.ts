// SPDX-License-Identifier: Apache-2.0
// Completion of names in a real bash, from a real agent.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer } from "node:net";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { minimalEnv, runProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("completion");
const pods = [
  { podNamespace: "shop", podName: "web-0" },
  { podNamespace: "shop", podName: "web-1" },
  { podNamespace: "bank", podName: "$(touch /tmp/x)" },
];
let agent: Agent;

beforeAll(async () => {
  agent = await startAgent(workspace);
  for (const [at, pod] of pods.entries()) {
    // Refused, for want of a cgroup, and on record.
    const call = { cgroupsPath: `/none/c${at}`, podUID: `uid-${at}`, ...pod };
    await callRuntimeHook(agent.address, call).catch(() => {});
  }
});
afterAll(() => workspace.close());

/** What bash offers for the last word. */
async function complete(address: string, ...words: readonly string[]): Promise<readonly string[]> {
  const script = `source <("$0" completion bash)
COMP_WORDS=("$0" "$@"); COMP_LINE="\${COMP_WORDS[*]}"; COMP_CWORD=$#; _tetragon
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const [command = "", ...rest] = words;
  const argv = [command, "--server-address", address, ...rest];
  const { stdout, stderr } = await runProcess(["bash", "-c", script, findAgent(), ...argv], {
    env: minimalEnv,
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

test.each([
  { words: ["watch", "--namespace", ""], replies: ["bank", "shop"] },
  { words: ["watch", "-n", "s"], replies: ["shop"] },
  { words: ["watch", "--pod", "web"], replies: ["web-0", "web-1"] },
  { words: ["watch", "--pod", ""], replies: ["web-0", "web-1"] },
  { words: ["watch", "--state", "re"], replies: ["released"] },
  { words: ["watch", "--output", "y"], replies: ["yaml"] },
])("$words", async ({ words, replies }) => {
  expect(await complete(agent.address, ...words)).toEqual(replies);
});

test("without an agent, and with one that does not answer, nothing is offered and nothing is said", async () => {
  expect(await complete(`unix://${workspace.path("none.sock")}`, "watch", "--pod", "")).toEqual([]);
  const silent = createServer(() => {}).listen(workspace.path("silent.sock"));
  expect(await complete(`unix://${workspace.path("silent.sock")}`, "watch", "--pod", "")).toEqual([]);
  silent.close();
});
