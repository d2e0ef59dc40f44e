// SPDX-License-Identifier: Apache-2.0
// The OCI state is read to its end from a pipe, whenever the runtime writes and closes it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { type RecordedAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import { containerdAnnotations, createSpec, writeSpec } from "../harness/hook.ts";
import { runProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("state");
let agent: RecordedAgent;
beforeAll(async () => {
  agent = await startRecordingAgent(workspace);
});
afterAll(() => workspace.close());

/** A state of so many bytes, with the id at its very end. */
function writeState(bytes: number, id: string): string {
  const annotations = containerdAnnotations({ uid: "u", namespace: "shop", name: "web-0" });
  const bundle = writeSpec(workspace.path(id), createSpec(annotations));
  const render = (pad: string): string => JSON.stringify({ pad, bundle, id });
  const path = workspace.path(`${id}.state`);
  writeFileSync(path, render("x".repeat(Math.max(0, bytes - render("").length))));
  return path;
}

const writers: Readonly<Record<string, string>> = {
  "closed before the hook reads": "cat $STATE",
  "in two parts": "head -c 100 $STATE; sleep 0.1; tail -c +101 $STATE",
  "closed late": "cat $STATE; sleep 0.1",
};
const sizes = [0, 8_191, 8_192, 8_193, 16_384, 60_000, 300_000];
let count = 0;

test.each(Object.entries(writers))(
  "%s",
  async (_name, writer) => {
    for (const size of sizes) {
      const id = `c${++count}`;
      const script = `(${writer}) | (sleep 0.05; exec "$0" "$@")`;
      const args = ["createRuntime", "--grpc-address", `unix://${agent.socketPath}`];
      const env = { PATH: "/usr/bin:/bin", STATE: writeState(size, id) };
      const log = ["--log-fname", workspace.path("hook.log")];
      const before = agent.requests.length;
      const result = await runProcess(["/bin/sh", "-c", script, findHook(), ...args, ...log], { env });
      expect(result).toMatchObject({ exitCode: 0, stderr: "" });
      expect(agent.requests[before]?.event?.createContainer.containerID).toBe(id);
    }
  },
  60_000,
);
