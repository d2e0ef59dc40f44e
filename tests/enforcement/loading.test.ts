// SPDX-License-Identifier: Apache-2.0
// While programs are loaded for a policy, which takes the verifier some hundred milliseconds for each, the built agent answers
// the calls of containers; the policy is in force when its call is answered.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyState } from "@rthooks/proto";
import type { Agent } from "../harness/agent.ts";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createShopContainer, killOnCall, toShopPolicy } from "./shop-container.ts";

const workspace = createWorkspace("loading");
const { run, startAgent } = createShopContainer(workspace);
let bpfFs: string;
let agent: Agent;

beforeAll(async () => {
  bpfFs = mountBpfFs(workspace);
  agent = await startAgent(join(bpfFs, "loading"));
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const { TP_STATE_ENABLED: ENABLED, TP_STATE_LOADING: LOADING } = TracingPolicyState;
const calls = () => callPolicies(agent.address);
const stateOf = async (name: string, at = agent) =>
  (await callPolicies(at.address).list()).policies.find((policy) => policy.name === name)?.state;

/** Of the fields of the tracepoint: a path and a mode. Each list of arguments needs a program of its own. */
const argumentLists = [
  [{ index: 5, type: "string" }],
  [{ index: 6, type: "int" }],
  [
    { index: 5, type: "string" },
    { index: 6, type: "int" },
  ],
  [
    { index: 6, type: "int" },
    { index: 5, type: "string" },
  ],
];
/** Kills a container that makes the directory. */
const forbidDirectory = (name: string, path: string): string =>
  toShopPolicy(name, {
    tracepoints: argumentLists.map((args) => ({
      ...{ subsystem: "syscalls", event: "sys_enter_mkdir", args },
      selectors: [
        {
          matchArgs: args.flatMap(({ index, type }) =>
            type === "string" ? [{ index, operator: "Equal", values: [path] }] : [],
          ),
          matchActions: [{ action: "Sigkill" }],
        },
      ],
    })),
  });

/** A container that starts now, as the hook reports it. */
const startContainer = (): Promise<unknown> => {
  const id = crypto.randomUUID();
  const cgroupsPath = `/rthooks-${workspace.tag}/pod${id}/${id.replaceAll("-", "").repeat(2)}`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  return callRuntimeHook(agent.address, {
    ...{ podUID: id, podName: "db-0", podNamespace: "other", cgroupsPath, containerID: id },
  });
};

test("containers start while programs are loaded, and the policy is in force when its call is answered", async () => {
  let isAnswered = false;
  const added = calls()
    .add(forbidDirectory("slow", "/forbidden"))
    .then(() => {
      isAnswered = true;
    });
  await waitFor("the policy is being loaded", async () => (await stateOf("slow")) === LOADING);
  let starts = 0;
  while (!isAnswered) {
    await startContainer();
    // The load went on when the call was answered.
    if ((await stateOf("slow")) === LOADING) starts++;
  }
  expect(starts).toBeGreaterThan(0);
  await added;
  expect(await stateOf("slow")).toBe(ENABLED);
  expect(run("mkdir", "/forbidden").signal).toBe("SIGKILL");
}, 60_000);

test.each([
  { name: "detaches what was attached", flags: [], stays: false },
  {
    name: "leaves what was attached, and the next agent goes on",
    flags: ["--keep-sensors-on-exit"],
    stays: true,
  },
])(
  "an agent that is stopped while it loads programs $name",
  async ({ flags, stays }) => {
    const bpfDir = join(bpfFs, `stop-${stays}`);
    const policyDir = workspace.path(`policies-${stays}`);
    mkdirSync(policyDir);
    const stopped = await startAgent(bpfDir, ["--tracing-policy-dir", policyDir, ...flags]);
    await callPolicies(stopped.address).add(toShopPolicy("first", killOnCall("rmdir")));
    writeFileSync(join(policyDir, "slow.yaml"), forbidDirectory("slow", "/forbidden"));
    await waitFor("the policy is being loaded", async () => (await stateOf("slow", stopped)) === LOADING);
    expect((await stopped.stop()).exitCode).toBe(0);
    const isKilled = (): boolean => run("rmdir", "/nowhere").signal === "SIGKILL";
    await waitFor("the kernel has detached the programs", () => isKilled() === stays);
    const next = await startAgent(bpfDir, ["--tracing-policy-dir", policyDir]);
    expect(await stateOf("slow", next)).toBe(ENABLED);
    expect(run("mkdir", "/forbidden").signal).toBe("SIGKILL");
    await next.stop();
  },
  120_000,
);
