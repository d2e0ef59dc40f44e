// SPDX-License-Identifier: Apache-2.0
// The kernel's verifier refuses programs of the built agent: the policy that needs them has its message, all others go on.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callPolicies } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { buildBare } from "../harness/build-bare.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createShopContainer, forbidAddresses, killOnCall, toShopPolicy } from "./shop-container.ts";
import { type SteppedAgent, startSteppedAgent } from "./stepped-agent.ts";

const workspace = createWorkspace("refused");
const { report, run } = createShopContainer(workspace);
const directory = workspace.path("policies");
/** Of enum bpf_prog_type: the programs that judge system calls, on each kernel. */
const RAW_TRACEPOINT = 17;
/** With fixtures/reject.c in the place of step.c: the number is a type of programs that are refused. */
let agent: SteppedAgent;

beforeAll(async () => {
  mkdirSync(directory);
  const reject = buildBare(join(import.meta.dir, "fixtures", "reject.c"), workspace.path("."));
  agent = await startSteppedAgent(workspace, reject, [
    ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "refused")],
    ...["--tracing-policy-dir", directory],
  ]);
  await report(agent.address);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const add = (name: string, hooks: object) => callPolicies(agent.address).add(toShopPolicy(name, hooks));
function writeCalls(...names: readonly string[]): void {
  const tracepoints = names.flatMap((name) => Object.values(killOnCall(name)).flat());
  writeFileSync(workspace.path("next"), toShopPolicy("calls", { tracepoints }));
  renameSync(workspace.path("next"), join(directory, "calls.yaml"));
}
async function listPolicies(): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await runProcess([
    ...[findAgent(), "policies", "-o", "json", "--server-address", agent.address],
  ]);
  return JSON.parse(stdout).policies;
}
const findCalls = async () => (await listPolicies()).find(({ name }) => name === "calls");
const script =
  "import socket, sys\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((sys.argv[1], 9))";
const isDenied = (address: string): boolean =>
  run("/usr/bin/python3", "-c", script, address).stderr.includes("PermissionError");
const mkdir = (): string => run("/bin/busybox", "mkdir", "/nowhere/x").signal;

test("the policy has the verifier's message, others stay in force, and later ones come into force", async () => {
  await add("first", forbidAddresses("127.0.0.2"));
  expect(isDenied("127.0.0.2")).toBe(true);
  agent.killBefore(RAW_TRACEPOINT);
  writeCalls("mkdir");
  await waitFor("the policy's error", async () => (await findCalls())?.["state"] === "load_error", 60_000);
  expect(agent.steps()).toBeGreaterThan(0);
  expect((await findCalls())?.["error"]).toMatch(/the kernel's verifier refuses it: .*last insn/);
  expect(mkdir()).toBe("");
  expect(isDenied("127.0.0.2")).toBe(true);
  await add("second", forbidAddresses("127.0.0.3"));
  expect(["127.0.0.2", "127.0.0.3", "127.0.0.4"].map(isDenied)).toEqual([true, true, false]);
}, 120_000);

test("it comes into force when it is written again and the kernel takes the programs", async () => {
  agent.killBefore(0);
  writeCalls("mkdir", "rmdir");
  await waitFor("the policy", async () => (await findCalls())?.["state"] === "enabled", 60_000);
  expect(mkdir()).toBe("SIGKILL");
}, 120_000);
