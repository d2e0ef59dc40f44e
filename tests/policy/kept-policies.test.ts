// SPDX-License-Identifier: Apache-2.0
// Policies from calls with --persist-grpc-policies, on a file system that is full: what an answer says is what is in force
// and what the next agent restores.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyState } from "@rthooks/proto";
import { callPolicies } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { runProcess } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("keep");
const disk = workspace.path("disk");
const kept = join(disk, "kept");
const filler = join(disk, "filler");
const kiB = 1024;
let control: AgentControl;

beforeAll(async () => {
  mkdirSync(disk);
  const mounted = await runProcess([findTool("mount"), "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  expect(mounted.stderr).toBe("");
  workspace.onClose(() => runProcess([findTool("umount"), disk]));
  control = createAgentControl(workspace, [
    ...["--persist-grpc-policies", "--persist-dir", kept, "--tracing-policy-dir", workspace.path("none")],
  ]);
  await control.start();
});
afterAll(() => workspace.close());

const yaml = (name: string, bytes = 0): string => `# ${"x".repeat(bytes)}
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: ${name}
spec:
  kprobes:
  - call: sys_acct
`;

const client = () => callPolicies(`unix://${control.socketPath}`);
const names = async () => (await client().list()).policies.map(({ name }) => name);
const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "";
  } catch (error) {
    return String(error);
  }
};
const restart = async (): Promise<void> => {
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  await control.start();
};
/** Leaves room for less than a page. */
function fillDisk(): void {
  for (let size = 64 * kiB; size > 0; size -= 4 * kiB) {
    try {
      writeFileSync(filler, new Uint8Array(size));
      return;
    } catch {
      // Then a smaller one.
    }
  }
}

test("a policy for which the disk has no room is refused, and is neither in force nor kept", async () => {
  await client().add(yaml("first"));
  fillDisk();
  expect(await failureOf(client().add(yaml("large", 6 * kiB)))).toContain("no space left on device");
  expect(await names()).toEqual(["first"]);
  await restart();
  expect(await names()).toEqual(["first"]);
  expect(readdirSync(kept)).toEqual(["first::grpc.json"]);
  rmSync(filler);
  await client().add(yaml("large", 6 * kiB));
  await client().delete("large");
  await client().delete("first");
}, 60_000);

test("a change for which the disk has no room is refused, and the policy stays as it was, also on disk", async () => {
  await client().add(yaml("tuned", 6 * kiB));
  const file = join(kept, "tuned::grpc.json");
  const before = readFileSync(file, "utf8");
  fillDisk();
  expect(await failureOf(client().configure({ name: "tuned", enable: false }))).toContain("no space left");
  expect((await client().list()).policies).toMatchObject([{ state: TracingPolicyState.TP_STATE_ENABLED }]);
  expect(readFileSync(file, "utf8")).toBe(before);
  rmSync(filler);
  await client().configure({ name: "tuned", enable: false });
  await restart();
  expect((await client().list()).policies).toMatchObject([
    { name: "tuned", state: TracingPolicyState.TP_STATE_DISABLED },
  ]);
  await client().delete("tuned");
}, 60_000);

test("names of any length are kept, and what a killed agent was writing is removed", async () => {
  const long = "n".repeat(253);
  await client().add(yaml(long), "d".repeat(63));
  writeFileSync(join(kept, `.tetragon-staged-${long.slice(0, 40)}.0123456789ab`), "{");
  await restart();
  expect(await names()).toEqual([long]);
  expect(readdirSync(kept)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
  await client().delete(long, "d".repeat(63));
  expect(readdirSync(kept)).toEqual([]);
}, 60_000);
