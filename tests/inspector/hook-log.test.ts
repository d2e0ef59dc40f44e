// SPDX-License-Identifier: Apache-2.0
// The built agent with --hook-log: invocations of the built hook on the inspector, also those that no agent has seen.
import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StatelyInspectionEvent } from "@statelyai/inspect";
import { createMachine } from "xstate";
import { type Agent, startAgent } from "../harness/agent.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { createHeldBundle } from "../harness/held-bundle.ts";
import { containerdAnnotations, createSpec, renderState, runHook, writeSpec } from "../harness/hook.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { listStates } from "./list-states.ts";
import { listActors, receive } from "./receive.ts";

const workspace = createWorkspace("hook-log");
afterAll(() => workspace.close());

const pod = { uid: "0a3b6c1d-7f8e-4f7a-9c55-0d8a6b1e2f33", namespace: "shop", name: "web-0" };
const rotateBytes = 50 * 1024 * 1024;

/** A directory of its own, as the hook's is. */
function createLogPath(name: string): string {
  const directory = workspace.path(name);
  mkdirSync(directory);
  return join(directory, "tetragon-oci-hook.log");
}

async function follow(logPath: string, ...flags: readonly string[]) {
  const agent = await startAgent(workspace, {
    flags: ["--inspect-address", "127.0.0.1:0", "--hook-log", logPath, ...flags],
  });
  const received = await receive(agent.process);
  await waitFor("the inspector's first message", () => received.length > 0);
  return { agent, received };
}

/** An invocation for the container `container-of-a-test`, at level debug. */
async function runLogged(logPath: string, container: string, ...flags: readonly string[]) {
  const spec = createSpec(containerdAnnotations({ ...pod, container }));
  const bundle = writeSpec(join(workspace.path("bundles"), container), spec);
  return await runHook(["createRuntime", "--log-fname", logPath, "--log-level", "debug", ...flags], {
    stdin: renderState(bundle),
  });
}

const health = async (agent: Agent): Promise<string> =>
  JSON.parse((await agent.status("--output", "json")).stdout).health;

/** Names of the containers whose hook invocation is shown, one for each time that it is. */
function listHookContainers(received: readonly StatelyInspectionEvent[]): readonly string[] {
  const names = new Map<string, string>();
  for (const event of received) {
    if (event.type === "@xstate.event" || event.snapshot.status !== "done") continue;
    const report = Reflect.get(Object(Reflect.get(event.snapshot, "context")), "report");
    names.set(event.sessionId, String(Reflect.get(Object(report), "containerName")));
  }
  // One that began before the inspector had this client comes with its end, and the others without.
  return received.flatMap((event) => {
    const name = event.type === "@xstate.actor" ? names.get(event.sessionId) : undefined;
    return name === undefined ? [] : [name];
  });
}

test("the hook of a real container, which the agent released", async () => {
  const logPath = createLogPath("released");
  const { agent, received } = await follow(logPath);
  const runc = createRunc(workspace);
  const id = `seen-${workspace.tag}`;
  const bundle = createHeldBundle(workspace, runc, {
    ...{ id, pod, container: "web", agentAddress: agent.address, hookLog: logPath },
    hookFlags: ["--log-level", "debug"],
  });
  const startedMs = Date.now();
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  const endedMs = Date.now();
  const name = `hook:${id}`;
  await waitFor("the hook's end", () => listStates(received, name).includes("succeeded"));
  const states = listStates(received, name);
  expect(states[0]).toEqual({ active: "loading" });
  expect(states).toContainEqual({ active: { reaching: "connecting" } });
  const [actor] = listActors(received, name);
  // The cast: a machine from another process has no type.
  const definition = JSON.parse(actor?.definition ?? "") as Parameters<typeof createMachine>[0];
  expect(Object.keys(createMachine(definition).states)).toContain("failCheck");
  const own = received.filter(({ sessionId }) => sessionId === actor?.sessionId);
  expect(own.at(-1)).toMatchObject({
    snapshot: {
      status: "done",
      context: {
        report: { containerName: "web", podNamespace: "shop", podName: "web-0" },
        outcome: "released",
      },
    },
  });
  // When it happened, and not when the agent read it.
  for (const event of own) {
    expect(Reflect.get(event, "atMs")).toBeGreaterThanOrEqual(startedMs);
    expect(Reflect.get(event, "atMs")).toBeLessThanOrEqual(endedMs);
  }
  writeFileSync(join(bundle.outDir, "end"), "");
  expect((await running.exited).exitCode).toBe(0);
  expect(await health(agent)).toBe("running");
  await agent.stop();
}, 60_000);

test("a container that was denied while no agent ran", async () => {
  const logPath = createLogPath("denied");
  const flags = ["--grpc-address", `unix://${workspace.path("absent.sock")}`, "--grpc-timeout", "100ms"];
  const { exitCode } = await runLogged(logPath, "lonely", ...flags);
  expect(exitCode).toBe(1);
  const endedMs = Date.now();
  const { agent, received } = await follow(logPath);
  const actor = await waitFor("the actor", () => listActors(received, "hook:container-of-a-test")[0]);
  // The agent may read the log before the client comes, or after.
  const end = await waitFor("its end", () =>
    received.find(
      (event) =>
        event.type !== "@xstate.event" &&
        event.sessionId === actor.sessionId &&
        event.snapshot.status === "done",
    ),
  );
  expect(end).toMatchObject({
    snapshot: {
      ...{ status: "done", value: "denied" },
      context: {
        report: { containerName: "lonely", podName: "web-0" },
        outcome: "denied",
        failure: { kind: "deadline", message: expect.stringContaining("connecting to agent") },
        denial: expect.stringContaining("should fail"),
      },
    },
  });
  const deniedMs = Reflect.get(end, "changedMs") ?? Reflect.get(end, "atMs");
  expect(deniedMs).toBeLessThanOrEqual(endedMs);
  expect(deniedMs - Reflect.get(actor, "atMs")).toBeGreaterThanOrEqual(100);
  const overview = await (
    await fetch(`http://${await findInspectorAddress(agent.process)}/api/overview`)
  ).json();
  expect(overview).toMatchObject({
    deniedCount: 1,
    denied: [
      {
        ...{
          containerId: "container-of-a-test",
          namespace: "shop",
          pod: "web-0",
          container: "lonely",
          by: "hook",
        },
        failure: { kind: "deadline", message: expect.stringContaining("connecting to agent") },
      },
    ],
    sources: expect.arrayContaining([{ name: "hook log", state: "current", problem: "" }]),
  });
  await agent.stop();
}, 60_000);

/** Whole lines that leave `free` bytes, or a little less, below the size of rotation. */
function prefill(logPath: string, free: number): void {
  const present = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  const line = `${"{}".padEnd(999, " ")}\n`;
  appendFileSync(logPath, line.repeat(Math.ceil((rotateBytes - present - free) / 1_000)), { mode: 0o600 });
}

test("no invocation is lost or shown twice while many hooks write and the log is rotated", async () => {
  const logPath = createLogPath("busy");
  const { agent, received } = await follow(logPath);
  const names: string[] = [];
  for (const round of [1, 2, 3]) {
    prefill(logPath, 15_000);
    const own = Array.from({ length: 40 }, (_, n) => `round-${round}-${n}`);
    names.push(...own);
    await Promise.all(own.map((name) => runLogged(logPath, name, "--disable-grpc")));
  }
  expect(readdirSync(dirname(logPath)).length).toBe(4);
  await waitFor("all invocations", () => new Set(listHookContainers(received)).size >= names.length, 60_000);
  expect(listHookContainers(received).toSorted()).toEqual(names.toSorted());
  await agent.stop();
}, 120_000);

test("lines that are not the hook's change nothing", async () => {
  const logPath = createLogPath("hostile");
  const { agent, received } = await follow(logPath);
  const trace = [{ us: 1, event: "e", state: "s" }];
  const forged = { "start-time": "2026-07-01T10:57:21.433755984Z", outcome: "denied", trace };
  for (const line of [
    "\n\n\u0000\u0000",
    '"trace":[',
    Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
    `{"trace":${"[".repeat(100_000)}`,
    JSON.stringify({ ...forged, trace: [{ us: -1 }] }),
    JSON.stringify({ ...forged, outcome: "__proto__" }),
    `{"trace":[${"x".repeat(3 * 1024 * 1024)}`,
    JSON.stringify({ ...forged, "req-podName": "<script>alert(1)</script>", "req-containerName": "odd" }),
  ]) {
    appendFileSync(logPath, line);
    appendFileSync(logPath, "\n");
  }
  await runLogged(logPath, "good", "--disable-grpc");
  await waitFor("the good one", () => listHookContainers(received).includes("good"));
  expect(listHookContainers(received)).toEqual(["odd", "good"]);
  expect(await health(agent)).toBe("running");
  await agent.stop();
}, 60_000);

test("the agent's health says why a log is not followed, and that it has no traces", async () => {
  const logPath = createLogPath("wrong");
  const target = join(dirname(logPath), "elsewhere");
  writeFileSync(target, "");
  symlinkSync(target, logPath);
  const linked = await follow(logPath);
  await waitFor("the link is reported", async () => (await health(linked.agent)).includes("symbolic link"));
  expect(await health(linked.agent)).toContain(`the hook's log ${logPath} is not followed`);
  await linked.agent.stop();

  const plain = createLogPath("plain");
  const { agent } = await follow(plain);
  const info = ["--log-level", "info", "--grpc-timeout", "50ms"];
  await runLogged(plain, "untraced", ...info, "--grpc-address", `unix://${workspace.path("absent.sock")}`);
  await waitFor("missing traces are reported", async () => (await health(agent)).includes("has no traces"));
  await runLogged(plain, "traced", "--disable-grpc");
  await waitFor("the agent is well", async () => (await health(agent)) === "running");
  await agent.stop();
}, 60_000);
