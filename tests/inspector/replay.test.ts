// SPDX-License-Identifier: Apache-2.0
// `tetragon inspect`, as it is built: a recording of a real container's start and end, shown again without the agent, to
// the receiver of @statelyai/inspect and by the rules of access of the live inspector.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { createMachine } from "xstate";
import { startAgent } from "../harness/agent.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { createHeldBundle } from "../harness/held-bundle.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { minimalEnv, runProcess, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { listStates } from "./list-states.ts";

const workspace = createWorkspace("replay");
afterAll(() => workspace.close(), 60_000);

const recordingPath = workspace.path("run.ndjson.gz");
const token = "0123456789abcdef";
const tokenFile = workspace.path("token");
const id = `recorded-${workspace.tag}`;
const inspect = (...flags: readonly string[]) =>
  startProcess([findAgent(), "inspect", ...flags], { env: minimalEnv }, workspace);

/** A recording from before a container's start until after its end. */
beforeAll(async () => {
  writeFileSync(tokenFile, token);
  const withToken = ["--inspect-token-file", tokenFile];
  const agent = await startAgent(workspace, { flags: ["--inspect-address", "127.0.0.1:0", ...withToken] });
  const address = await findInspectorAddress(agent.process);
  const recorder = inspect("--record", recordingPath, "--inspect-address", address, ...withToken);
  const watching = watchStates(`ws://${address}/?token=${token}`);
  await waitFor("the recording begins", () => recorder.stdout().startsWith("recording for 1m0s;"));
  const runc = createRunc(workspace);
  const pod = { uid: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b24", namespace: "shop", name: "web-0" };
  const bundle = createHeldBundle(workspace, runc, {
    ...{ id, pod, container: "web", agentAddress: agent.address, hookLog: workspace.path("hook.log") },
  });
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  writeFileSync(join(bundle.outDir, "end"), "");
  await running.exited;
  await waitFor("the container is gone", () => watching().includes("gone"), 20_000);
  recorder.signal("SIGINT");
  expect(await recorder.exited).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/run\.ndjson\.gz has \d+ messages of [\d.]+ s\n$/),
  });
  await agent.stop();
}, 120_000);

function watchStates(server: string): () => readonly unknown[] {
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server }).subscribe((event) => received.push(event));
  return () => listStates(received, `container:${id}`);
}

/** Replays until the test ends; the address is that of the printed line. */
async function replay(...flags: readonly string[]) {
  const shown = inspect("--replay", recordingPath, "--inspect-address", "127.0.0.1:0", ...flags);
  const [, address = ""] = await waitFor("the address of the replay", () =>
    / open http:\/\/([\d.:]+)\/\n/.exec(shown.stdout()),
  );
  return { shown, address };
}

test("the replay has the container's states, and machines that XState accepts", async () => {
  const { shown, address } = await replay("--speed", "20");
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://${address}` }).subscribe((event) => received.push(event));
  const name = `container:${id}`;
  await waitFor("the container is gone", () => listStates(received, name).includes("gone"), 20_000);
  const states = listStates(received, name).filter((state, at, all) => state !== all[at - 1]);
  expect(states).toEqual(["identified", "placed", "registered", "released", "gone"]);
  const actor = received.find((event) => event.type === "@xstate.actor" && event.name === name);
  const definition: unknown = JSON.parse(String(Reflect.get(actor ?? {}, "definition")));
  // The cast: a machine from another process has no type.
  const machine = createMachine(definition as Parameters<typeof createMachine>[0]);
  expect(Object.keys(machine.states)).toContain("released");
  await waitFor("the end", () => shown.stdout().includes("the recording has ended"), 60_000);
  shown.signal("SIGINT");
  expect((await shown.exited).exitCode).toBe(0);
}, 120_000);

test("with --loop it starts again for clients that connect again", async () => {
  const { shown, address } = await replay("--speed", "1000", "--loop");
  let releases = 0;
  let isOver = false;
  const connect = (): void => {
    const socket = new WebSocket(`ws://${address}/?after=0`);
    socket.addEventListener("message", ({ data }) => {
      const { type, event } = JSON.parse(String(data));
      if (type === "@xstate.snapshot" && event.type === "answer.sent") releases++;
    });
    socket.addEventListener("close", () => isOver || connect());
  };
  connect();
  await waitFor("the first replay", () => releases === 1, 20_000);
  await waitFor("another one", () => releases === 2, 60_000);
  isOver = true;
  shown.signal("SIGTERM");
  expect((await shown.exited).exitCode).toBe(0);
}, 120_000);

test("it answers no other Host and no other origin, and changes nothing", async () => {
  const { address } = await replay();
  const url = `http://${address}/`;
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { headers: { host: "attacker.example" } })).status).toBe(403);
  expect((await fetch(url, { headers: { origin: "http://attacker.example" } })).status).toBe(403);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
}, 60_000);

test.each([
  [[], "inspect: give --replay FILE to show a recording, or --record FILE to make one"],
  [["--replay", "/nowhere"], "inspect: cannot read /nowhere: "],
  [["--replay", "/etc/passwd"], "inspect: /etc/passwd is not a recording of `tetragon inspect --record`: "],
  [["--replay", recordingPath, "--speed", "fast"], "inspect: --speed fast is not a number from 0.01 to 1000"],
  [["--replay", recordingPath, "--inspect-address", "0.0.0.0:0"], "0.0.0.0 is not a loopback address"],
  [["--record", "/tmp/x", "--inspect-address", "127.0.0.1:9"], "no inspector answers at 127.0.0.1:9: "],
])(
  "an error is one line that says what to do: %j",
  async (flags, message) => {
    const { exitCode, stderr } = await runProcess([findAgent(), "inspect", ...flags], { env: minimalEnv });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(exitCode).toBe(1);
  },
  60_000,
);
