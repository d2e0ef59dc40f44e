// SPDX-License-Identifier: Apache-2.0
// The built agent is killed between steps of adding, replacing and deleting a policy: calls of bpf(2), renamed and removed files.
// The whole policy is in force then, or the whole one before it, as the maps have it and as a process in a container sees it;
// so it is with the next agent, which leaves nothing of the other in the maps.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyState } from "@rthooks/proto";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { buildBare } from "../harness/build-bare.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { openRuleObserver, type RuleObserver } from "./rules-in-force.ts";
import { toShopPolicy } from "./shop-container.ts";
import { type SteppedAgent, startSteppedAgent } from "./stepped-agent.ts";

const workspace = createWorkspace("steps");
const uid = crypto.randomUUID();
const parent = `/rthooks-${workspace.tag}`;
const cgroup = `${parent}/pod${uid}/${uid.replaceAll("-", "").repeat(2)}`;
/** Of each kind of change, spread over all of its steps. */
const KILLS = 16;
let step: string;
let bpfFs: string;

beforeAll(() => {
  mkdirSync(findCgroupDirectory(cgroup), { recursive: true });
  workspace.onClose(() => removeCgroup(parent));
  step = buildBare(join(import.meta.dir, "fixtures", "step.c"), workspace.path("."));
  bpfFs = mountBpfFs(workspace);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

/** Each version forbids two calls with one path, and each version another one. The paths are in no directory. */
const versions = { none: "", first: "/nowhere/first", second: "/nowhere/second" } as const; // const: its keys are a union
type Version = keyof typeof versions;
const toPolicy = (version: Version): string => {
  const matchArgs = [{ index: 5, operator: "Equal", values: [versions[version]] }];
  const hook = (event: string): object => ({
    ...{ subsystem: "syscalls", event, args: [{ index: 5, type: "string" }] },
    selectors: [{ matchArgs, matchActions: [{ action: "Sigkill" }] }],
  });
  return toShopPolicy("changing", { tracepoints: ["sys_enter_mkdir", "sys_enter_rmdir"].map(hook) });
};
const acts = (version: Version): readonly (readonly [string, string])[] =>
  version === "none"
    ? []
    : [
        ["mkdir", versions[version]],
        ["rmdir", versions[version]],
      ];

const { TP_STATE_ENABLED: ENABLED } = TracingPolicyState;
/** Undefined where the policy is not listed, or the agent has ended. */
const findState = async ({ address }: SteppedAgent) =>
  (
    await callPolicies(address)
      .list()
      .catch(() => undefined)
  )?.policies[0]?.state;

/** What is in force, as the maps have it and as a process in the container sees it. */
interface State {
  readonly rules: readonly string[];
  readonly killed: readonly string[];
}

/** A node with maps of its own, on which one agent follows the other. */
function openNode(name: string) {
  const [directory, policies] = [join(bpfFs, name), workspace.path(name)];
  mkdirSync(policies);
  const flags = [
    ...["--enable-policy-filter", "--bpf-dir", directory, "--sweep-interval", "1h", "--log-level", "error"],
    ...["--tracing-policy-dir", policies],
    ...["--persist-grpc-policies", "--persist-dir", workspace.path(`${name}-kept`)],
  ];
  let observer: RuleObserver | undefined;
  const observe = (): State => ({
    rules: observer?.inForce(readCgroupId(cgroup)) ?? [],
    killed: [...acts("first"), ...acts("second")]
      .filter((argv) => runInCgroup(cgroup, argv).signal === "SIGKILL")
      .map((argv) => argv.join(" ")),
  });
  const values = (): number => observer?.values() ?? 0;
  return {
    observe,
    values,
    /** The values of a rule go after it. */
    isAs: (state: State, count: number): boolean => values() === count && Bun.deepEquals(observe(), state),
    async start(): Promise<SteppedAgent> {
      const agent = await startSteppedAgent(workspace, step, flags);
      observer ??= openRuleObserver(directory);
      await callRuntimeHook(agent.address, {
        ...{ podUID: uid, podName: "web-0", podNamespace: "shop", cgroupsPath: cgroup, containerID: uid },
      });
      return agent;
    },
    /** By a call. Resolves when the agent has answered or ended. */
    async call(agent: SteppedAgent, version: Version): Promise<void> {
      const calls = callPolicies(agent.address);
      await (version === "none" ? calls.delete("changing") : calls.add(toPolicy(version))).catch(() => {});
    },
    /** By a file. Resolves when the agent has taken it over or ended. */
    async write(agent: SteppedAgent, version: Version): Promise<void> {
      writeFileSync(workspace.path("next"), toPolicy(version));
      renameSync(workspace.path("next"), join(policies, "changing.yaml"));
      const wanted = acts(version)
        .map((argv) => argv.join(" "))
        .join();
      await waitFor("the new version", async () => {
        if (agent.process.hasExited()) return true;
        return (await findState(agent)) === ENABLED && observe().killed.join() === wanted;
      });
    },
    /** All that the agents have pinned. */
    close(): void {
      observer?.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/**
 * The steps before which the agent is killed. A change takes a fifth more of them at one time than at another: the last kills
 * may come after its end.
 */
const spread = (total: number): readonly number[] =>
  Array.from({ length: KILLS }, (_, at) => 1 + Math.round((at * total * 1.2) / (KILLS - 1)));

/** Of the kinds of changes, each with what must have been seen afterwards: else the steps were the wrong ones. */
const expectBoth = (seen: readonly State[], before: State, after: State): void => {
  for (const state of [before, after]) expect(seen).toContainEqual(state);
  for (const state of seen) expect([before, after]).toContainEqual(state);
};

test("a policy that is added or deleted is there as a whole or not at all", async () => {
  const reference = openNode("reference");
  let agent = await reference.start();
  const none = reference.observe();
  expect(none).toEqual({ rules: [], killed: [] });
  const values = reference.values();
  agent.killBefore(0);
  await reference.call(agent, "first");
  const adding = agent.steps();
  const first = reference.observe();
  expect(first.rules).toHaveLength(2);
  expect(first.killed).toEqual(["mkdir /nowhere/first", "rmdir /nowhere/first"]);
  agent.killBefore(0);
  await reference.call(agent, "none");
  const deleting = agent.steps();
  await agent.kill();
  reference.close();

  const [added, deleted]: [State[], State[]] = [[], []];
  for (const [at, toAdd] of spread(adding).entries()) {
    // Its own maps: then the programs are loaded each time.
    const node = openNode(`node-${at}`);
    agent = await node.start();
    agent.killBefore(toAdd);
    await node.call(agent, "first");
    await agent.kill();
    added.push(node.observe());
    agent = await node.start();
    expect([none, first]).toContainEqual(node.observe());
    // What the kept policies do not have ends when all sources have been read.
    if ((await findState(agent)) === undefined)
      await waitFor("the end of rules and values", () => node.isAs(none, values), 30_000);
    else expect(node.observe()).toEqual(first);
    if (node.observe().rules.length === 0) await node.call(agent, "first");
    expect(node.observe()).toEqual(first);

    agent.killBefore(spread(deleting)[at] ?? 1);
    await node.call(agent, "none");
    await agent.kill();
    deleted.push(node.observe());
    agent = await node.start();
    expect([none, first]).toContainEqual(node.observe());
    await node.call(agent, "first");
    await node.call(agent, "none");
    expect([node.observe(), node.values()]).toEqual([none, values]);
    await agent.kill();
    node.close();
  }
  expectBoth(added, none, first);
  expectBoth(deleted, first, none);
}, 240_000);

test("a policy that is replaced is the former one or the new one", async () => {
  const node = openNode("replaced");
  let agent = await node.start();
  const states: Partial<Record<Version, State>> = {};
  let values = 0;
  let replacing = 0;
  for (const version of ["first", "second", "first"] as const) {
    agent.killBefore(0);
    await node.write(agent, version);
    if (states.first !== undefined) replacing = Math.max(replacing, agent.steps());
    // As below each change is the first one of an agent, which takes more steps than the next ones.
    await agent.kill();
    agent = await node.start();
    states[version] = node.observe();
    values = node.values();
  }
  const { first, second } = states;
  if (first === undefined || second === undefined) throw new Error("both were in force");
  expect([first.rules.length, second.rules.length]).toEqual([2, 2]);
  expect(first.rules).not.toEqual(second.rules);

  const seen: Record<"former" | "new", number> = { former: 0, new: 0 };
  for (const [at, toReplace] of spread(replacing).entries()) {
    const [former, next] = at % 2 === 0 ? [first, second] : [second, first];
    agent.killBefore(toReplace);
    await node.write(agent, at % 2 === 0 ? "second" : "first");
    await agent.kill();
    const left = node.observe();
    expect([former, next]).toContainEqual(left);
    seen[Bun.deepEquals(left, former) ? "former" : "new"]++;
    agent = await node.start();
    expect([node.observe(), node.values()]).toEqual([next, values]);
  }
  expect(seen.former).toBeGreaterThan(0);
  expect(seen.new).toBeGreaterThan(0);
  await agent.kill();
}, 240_000);
