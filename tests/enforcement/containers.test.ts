// SPDX-License-Identifier: Apache-2.0
// Policies in force for real containers, from their first act on: what a policy forbids the pods that it selects, and
// leaves to others; in both modes; while the agent is gone; and no longer when the policy is gone.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyMode } from "@rthooks/proto";
import { startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type ActingContainers, createActingContainers } from "./acting-container.ts";
import { forbidConnection, forbidExecution, toPolicy } from "./policy-sources.ts";
import { writeTwoPods } from "./two-pods.ts";

const workspace = createWorkspace("enforced");
let control: AgentControl;
let bpfDirectory: string;
let containers: ActingContainers;

const { web, database, podsFile } = writeTwoPods(workspace);

beforeAll(async () => {
  const runc = createRunc(workspace);
  bpfDirectory = join(mountBpfFs(workspace), "tetragon");
  control = createAgentControl(workspace, [
    ...["--pods-file", podsFile, "--sweep-interval", "100ms"],
    ...["--enable-policy-filter", "--bpf-dir", bpfDirectory],
    ...["--tracing-policy-dir", workspace.path("none")],
    ...["--persist-grpc-policies", "--persist-dir", workspace.path("kept")],
  ]);
  await control.start();
  containers = createActingContainers(workspace, runc, `unix://${control.socketPath}`);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const policies = () => callPolicies(`unix://${control.socketPath}`);
const find = async (name: string) => (await policies().list()).policies.find((one) => one.name === name);
beforeEach(async () => {
  for (const { name } of (await policies().list()).policies) await policies().delete(name);
});

const noExec = toPolicy("no-exec", forbidExecution("/forbidden/"));
const noConnect = toPolicy("no-connect", forbidConnection("127.0.0.2"));

const outcomes = async () => ({
  web: [(await containers.execute(web)).outcome, (await containers.connect(web, "127.0.0.2")).outcome],
  database: [
    (await containers.execute(database)).outcome,
    (await containers.connect(database, "127.0.0.2")).outcome,
  ],
});

const done = ["done", "done"];
const denied = ["killed", "EPERM"];

describe("a container's first act", () => {
  test("is prevented where a policy forbids it, and not in pods that the policy does not select", async () => {
    expect(await outcomes()).toEqual({ web: done, database: done });
    await policies().add(noExec);
    await policies().add(noConnect);
    expect(await outcomes()).toEqual({ web: denied, database: done });
    expect((await containers.connect(web, "127.0.0.3")).outcome).toBe("done");
    await policies().delete("no-exec");
    expect(await outcomes()).toEqual({ web: ["done", "EPERM"], database: done });
    await policies().delete("no-connect");
    expect(await outcomes()).toEqual({ web: done, database: done });
  }, 120_000);

  test("is counted and allowed while the policy only monitors", async () => {
    await policies().add(noExec);
    await policies().add(noConnect);
    const set = (mode: TracingPolicyMode) =>
      Promise.all(["no-exec", "no-connect"].map((name) => policies().configure({ name, mode })));
    await set(TracingPolicyMode.TP_MODE_MONITOR);
    expect(await outcomes()).toEqual({ web: done, database: done });
    await set(TracingPolicyMode.TP_MODE_ENFORCE);
    expect(await outcomes()).toEqual({ web: denied, database: done });
    await policies().configure({ name: "no-exec", enable: false });
    expect(await outcomes()).toEqual({ web: ["done", "EPERM"], database: done });
    await policies().configure({ name: "no-exec", enable: true });
    expect(await outcomes()).toEqual({ web: denied, database: done });
  }, 120_000);
});

describe("an agent that is killed", () => {
  test("leaves its policies in force, and the next one goes on with them", async () => {
    await policies().add(noExec);
    await policies().add(noConnect);
    const rules = control.agent();
    await containers.keepRunning(web, async (attempt) => {
      expect(await attempt()).toBe("killed");
      rules.process.signal("SIGKILL");
      await rules.process.exited;
      expect(await attempt()).toBe("killed");
      await control.start();
      expect(await attempt()).toBe("killed");
      expect(await outcomes()).toEqual({ web: denied, database: done });
      await policies().delete("no-exec");
      expect(await attempt()).toBe("done");
    });
  }, 120_000);
});

describe("an agent that is stopped", () => {
  test("ends its policies, and the next one has them again", async () => {
    await policies().add(noExec);
    await containers.keepRunning(web, async (attempt) => {
      expect(await attempt()).toBe("killed");
      await control.end();
      expect(await attempt()).toBe("done");
      await control.start();
      await waitFor("its container is known again", async () => (await attempt()) === "killed");
    });
  }, 120_000);
});

describe("an agent whose pins are removed", () => {
  test("goes on with its policies, and pins programs and rules again for the next one", async () => {
    await policies().add(noExec);
    const directory = join(bpfDirectory, "enforcement");
    const names = readdirSync(directory).toSorted();
    await containers.keepRunning(web, async (attempt) => {
      rmSync(directory, { recursive: true });
      expect(await attempt()).toBe("killed");
      await waitFor(
        "the pins",
        () => existsSync(directory) && Bun.deepEquals(readdirSync(directory).toSorted(), names),
      );
      control.agent().process.signal("SIGKILL");
      await control.agent().process.exited;
      expect(await attempt()).toBe("killed");
      await control.start();
      expect((await find("no-exec"))?.state).toBe(1);
    });
  }, 120_000);
});

describe("an agent that cannot enforce", () => {
  test("runs on, and says so: of each policy with hooks, of events, and in its health", async () => {
    const agent = await startAgent(workspace, {
      flags: [
        ...["--cgroup-root", workspace.path("."), "--tracing-policy-dir", workspace.path("none")],
        ...["--enable-policy-filter", "--bpf-dir", join(bpfDirectory, "..", "other")],
      ],
    });
    const calls = callPolicies(agent.address);
    const reason = "is not the root of the cgroup hierarchy of version 2, from which programs count levels";
    expect(await calls.add(noExec).catch(String)).toContain(reason);
    await calls.add(toPolicy("no-hooks", {}));
    const states = (await calls.list()).policies.map(({ name, state, error }) => [name, state, error !== ""]);
    expect(states).toEqual([
      ["no-exec", 3, true],
      ["no-hooks", 1, false],
    ]);
    const status = (await agent.status("--output", "json")).stdout;
    expect(status).toContain(reason);
    expect(status).toContain("there are no events of processes: ");
    await agent.stop();
  }, 60_000);
});

describe("what clients see", () => {
  test("is what holds a policy, and what its selectors have done", async () => {
    await policies().add(noExec);
    await policies().add(noConnect);
    await outcomes();
    expect(await find("no-exec")).toMatchObject({
      sensors: ["killed before its first instruction"],
      stats: {
        actionCounters: { signal: 1n, monitorSignal: 0n },
        selectorActionCounters: [
          { hookIndex: 0, selectorIndex: 0, actionCounters: { signal: 0n } },
          { hookIndex: 0, selectorIndex: 1, actionCounters: { signal: 1n } },
        ],
      },
      hookStatuses: [{ section: "lsmhooks[0].selectors[0]" }, { section: "lsmhooks[0].selectors[1]" }],
    });
    expect(await find("no-connect")).toMatchObject({
      sensors: ["prevented by cgroup program"],
      stats: { actionCounters: { override: 1n, monitorOverride: 0n } },
    });
    await policies().configure({ name: "no-exec", mode: TracingPolicyMode.TP_MODE_MONITOR });
    await outcomes();
    expect((await find("no-exec"))?.stats?.actionCounters).toMatchObject({ signal: 1n, monitorSignal: 1n });
  }, 120_000);

  test("is what a policy lacks on this node, while the others are in force", async () => {
    await policies().add(noExec);
    const odd = toPolicy("odd", { uprobes: [{ path: "/bin/sh", symbols: ["main"] }] });
    const refused = await policies()
      .add(odd)
      .catch((error: Error) => error.message);
    expect(refused).toContain("uprobes[0]");
    expect(await find("odd")).toMatchObject({ state: 3, error: expect.stringContaining("uprobes[0]") });
    expect((await containers.execute(web)).outcome).toBe("killed");
  }, 120_000);
});
