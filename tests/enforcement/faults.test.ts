// SPDX-License-Identifier: Apache-2.0
// The built agent with its policies in force when something breaks: what is in force stays so, what cannot be is said, and
// the policies of others are not affected.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent, findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createShopContainer, forbidPaths, toShopPolicy } from "./shop-container.ts";

const workspace = createWorkspace("faults");
const { dir, run, startAgent } = createShopContainer(workspace);
const tools = ["one", "two"].map((name) => join(dir, name));
const [one = "", two = ""] = tools;
let bpfFs: string;

beforeAll(() => {
  for (const tool of tools) copyFileSync("/bin/true", tool);
  bpfFs = mountBpfFs(workspace);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const policies = (agent: Agent) => callPolicies(agent.address);
/** Which of the two programs cannot run in the container. */
const forbidden = (): readonly string[] => tools.filter((tool) => run(tool).signal === "SIGKILL");
const forbid = (agent: Agent, name: string, ...paths: readonly string[]): Promise<unknown> =>
  policies(agent).add(toShopPolicy(name, forbidPaths(...paths)));

describe("maps that are full", () => {
  let agent: Agent;
  beforeAll(async () => {
    agent = await startAgent(join(bpfFs, "full"));
    await forbid(agent, "first", one);
  }, 60_000);
  afterAll(() => agent.stop());

  test("of the texts refuse the policy that they have no room for, and keep all others", async () => {
    const values = (policy: number): readonly string[] =>
      Array.from({ length: 4_000 }, (_, at) => `/opt/tool-${policy}-${at}`);
    const added: string[] = [];
    const error = await (async () => {
      for (let at = 0; at < 40; at++) {
        const refusal: unknown = await forbid(agent, `many-${at}`, ...values(at), two).catch(
          (thrown) => thrown,
        );
        if (refusal instanceof Error) return refusal.message;
        added.push(`many-${at}`);
      }
      return "all were added";
    })();
    expect(error).not.toBe("all were added");
    expect(error).toMatch(/full|room|at most|limit|too many/);
    expect(forbidden()).toEqual(added.length > 0 ? tools : [one]);
    for (const name of added) await policies(agent).delete(name);
    expect(forbidden()).toEqual([one]);
    await forbid(agent, "second", two);
    expect(forbidden()).toEqual(tools);
    await policies(agent).delete("second");
  }, 120_000);

  test("of the rules refuse the policy that they have no room for, and keep all others", async () => {
    const added: string[] = [];
    let error = "";
    while (error === "" && added.length < 300) {
      const name = `rule-${added.length}`;
      const refusal: unknown = await forbid(agent, name, `/opt/${name}`).catch((thrown) => thrown);
      if (refusal instanceof Error) error = refusal.message;
      else added.push(name);
    }
    expect(error).toMatch(/\d+/);
    expect(added.length).toBeGreaterThan(100);
    expect(forbidden()).toEqual([one]);
    await policies(agent).delete(added[0] ?? "");
    await forbid(agent, "second", two);
    expect(forbidden()).toEqual(tools);
    for (const name of ["second", ...added.slice(1)]) await policies(agent).delete(name);
    expect(forbidden()).toEqual([one]);
  }, 120_000);
});

describe("a bpf file system that is unmounted under the agent", () => {
  test("changes nothing for processes, and is a problem that the agent reports", async () => {
    const own = workspace.path("own");
    mkdirSync(own);
    const mount = async (...argv: readonly string[]): Promise<void> => {
      const { exitCode, stderr } = await runProcess(argv);
      if (exitCode !== 0) throw new Error(stderr);
    };
    await mount(findTool("mount"), "-t", "bpf", "bpf", own);
    const agent = await startAgent(join(own, "tetragon"), ["--sweep-interval", "100ms"]);
    await forbid(agent, "first", one);
    await mount(findTool("umount"), "--lazy", own);
    expect(forbidden()).toEqual([one]);
    await waitFor("a problem", async () => (await agent.status()).stderr.includes(own), 60_000);
    // What is said of a policy is true: it is in force or it has an error.
    const refusal: unknown = await forbid(agent, "second", two).catch((thrown) => thrown);
    expect(forbidden()).toEqual(refusal instanceof Error ? [one] : tools);
    await agent.stop();
  }, 120_000);
});

describe("two agents on one node", () => {
  test("the second is refused where it shares the maps, and what is in force stays so", async () => {
    const bpfDir = join(bpfFs, "two");
    const agent = await startAgent(bpfDir);
    await forbid(agent, "first", one);
    const flags = ["--server-address", `unix://${workspace.path("other.sock")}`, "--info-file="];
    const second = await runProcess([findAgent(), ...flags, "--enable-policy-filter", "--bpf-dir", bpfDir], {
      killAfterMs: 30_000,
    });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(bpfDir);
    expect(forbidden()).toEqual([one]);
    await agent.stop();
    expect(forbidden()).toEqual([]);
  }, 120_000);

  test("with maps of their own each forbids what its policies do, until it ends", async () => {
    const agents = [await startAgent(join(bpfFs, "left")), await startAgent(join(bpfFs, "right"))];
    const [left, right] = agents;
    if (left === undefined || right === undefined) throw new Error("two agents were started");
    await forbid(left, "first", one);
    await forbid(right, "second", two);
    expect(forbidden()).toEqual(tools);
    await left.stop();
    expect(forbidden()).toEqual([two]);
    await right.stop();
    expect(forbidden()).toEqual([]);
  }, 120_000);
});
