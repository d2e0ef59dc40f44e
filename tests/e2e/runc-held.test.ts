// SPDX-License-Identifier: Apache-2.0
// A container that runc makes has not executed anything of its own before the agent's answer has arrived.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, isListening, startAgent } from "../harness/agent.ts";
import { type Bundle, createBundle, firstActScript, type HookStage } from "../harness/bundle.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { hasWritten, readCommands, unixMicros, waitForFirstAct } from "../harness/first-act.ts";
import { createGate } from "../harness/gate.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { hasSocket } from "../harness/process-sockets.ts";
import { findHook } from "../harness/programs.ts";
import { readLog } from "../harness/records.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("held");
const pod = { uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11", namespace: "shop", name: "web-0" };
/** How long a held container is watched to do nothing; long against the 1 ms that it needs for its first write. */
const watchMs = 300;
let runc: Runc;
let agent: Agent;

beforeAll(async () => {
  runc = createRunc(workspace);
  const podsFile = workspace.path("pods.json");
  writeFileSync(
    podsFile,
    JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { uid: pod.uid, namespace: pod.namespace, name: pod.name, labels: { app: "web" } },
        },
      ],
    }),
  );
  agent = await startAgent(workspace, { podsFile });
});

afterAll(() => workspace.close());

function createHeld(
  id: string,
  address: string,
  options: {
    stage?: HookStage;
    flags?: string[];
    hookEnv?: readonly string[];
    containerEnv?: readonly string[];
  } = {},
): Bundle {
  const stage = options.stage ?? "createRuntime";
  const args = ["tetragon-oci-hook", stage, "--grpc-address", address, ...(options.flags ?? [])];
  return createBundle(workspace, {
    id: `${id}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${id}`,
    annotations: containerdAnnotations({ ...pod, container: id }),
    // It lives until the test says so: its cgroup must be there to be compared.
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    ...(options.containerEnv === undefined ? {} : { env: options.containerEnv }),
    hooks: {
      [stage]: [
        {
          path: findHook(),
          args: [...args, "--log-fname", workspace.path(`${id}.log`)],
          env: options.hookEnv ?? [],
        },
      ],
    },
  });
}

const release = (bundle: Bundle) => writeFileSync(join(bundle.outDir, "end"), "");
const findRecord = async (bundle: Bundle) =>
  (await agent.containers()).find(({ cgroupPath }) => `/${cgroupPath}`.endsWith(bundle.cgroupsPath));

async function expectNothingHappens(bundle: Bundle): Promise<void> {
  const until = performance.now() + watchMs;
  while (performance.now() < until) {
    expect(hasWritten(bundle.outDir)).toBe(false);
    // Its processes are still the runtime's own stub, which has not executed the container's program.
    expect(readCommands(bundle.cgroupsPath).filter((name) => !name.startsWith("runc"))).toEqual([]);
    await Bun.sleep(5);
  }
  expect(readCommands(bundle.cgroupsPath).length).toBeGreaterThan(0);
}

describe("a container that the agent answers for", () => {
  test.each([{ stage: "createRuntime" as const }, { stage: "prestart" as const }])(
    "is in the agent's records, with its own cgroup id, before its first write ($stage)",
    async ({ stage }) => {
      const bundle = createHeld(`ok-${stage.toLowerCase()}`, agent.address, { stage });
      const running = runc.start(bundle);
      const first = await waitForFirstAct(running, bundle.outDir);
      const record = await findRecord(bundle);
      expect(first.cgroupPath).toBe(bundle.cgroupsPath);
      expect(record?.cgroupId).toBe(readCgroupId(first.cgroupPath));
      expect(record).toMatchObject({
        podUid: pod.uid,
        podName: pod.name,
        podNamespace: pod.namespace,
        podLabels: new Map([["app", "web"]]),
        state: "released",
        source: "hook",
      });
      expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first.unixMicros);
      release(bundle);
      expect((await running.exited).exitCode).toBe(0);
    },
    30_000,
  );

  test("is gone from the agent's records after it ended", async () => {
    const bundle = createHeld("gone", agent.address);
    const running = runc.start(bundle);
    await waitForFirstAct(running, bundle.outDir);
    expect(await findRecord(bundle)).toBeDefined();
    release(bundle);
    await running.exited;
    await waitFor(
      "the agent forgets the container",
      async () => (await findRecord(bundle)) === undefined,
      30_000,
    );
  }, 60_000);

  test("is logged with the reference's keys in its order", async () => {
    const bundle = createHeld("logged", agent.address);
    const running = runc.start(bundle);
    await waitForFirstAct(running, bundle.outDir);
    release(bundle);
    await running.exited;
    const [line, ...rest] = readLog(workspace.path("logged.log"));
    expect(rest).toEqual([]);
    expect(Object.keys(line ?? {})).toEqual([
      ...["time", "level", "msg", "hook", "start-time", "req-cgroups", "req-rootdir", "req-containerName"],
      ...["req-containerID", "req-containerImage", "req-podName", "req-podUID", "req-podNamespace"],
    ]);
    expect(line).toMatchObject({
      level: "INFO",
      msg: "hook request to agent succeeded",
      hook: "create-container",
      "req-cgroups": bundle.cgroupsPath,
      "req-rootdir": join(bundle.dir, "rootfs"),
      "req-containerName": "logged",
      "req-podNamespace": pod.namespace,
    });
  }, 30_000);
});

describe("while the answer has not come", () => {
  test("a container that the agent has already released internally has not started: only the answer counts", async () => {
    const gate = await createGate(workspace, agent.socketPath);
    const bundle = createHeld("gated", gate.address);
    const running = runc.start(bundle);
    await waitFor("the agent has the container", () => findRecord(bundle));
    await waitFor("the answer waits at the gate", () => gate.heldBytes() > 0);
    await expectNothingHappens(bundle);
    const openedMicros = unixMicros();
    gate.open();
    const first = await waitForFirstAct(running, bundle.outDir);
    expect(first.unixMicros).toBeGreaterThan(openedMicros);
    release(bundle);
    expect((await running.exited).exitCode).toBe(0);
  }, 30_000);

  test("a container stays held by a stopped agent, and starts after it goes on", async () => {
    const bundle = createHeld("stopped", agent.address);
    agent.process.signal("SIGSTOP");
    const running = runc.start(bundle);
    await waitFor("the container's cgroup has a process", () => readCommands(bundle.cgroupsPath).length > 0);
    await expectNothingHappens(bundle);
    const resumedMicros = unixMicros();
    agent.process.signal("SIGCONT");
    const first = await waitForFirstAct(running, bundle.outDir);
    expect(first.unixMicros).toBeGreaterThan(resumedMicros);
    expect((await findRecord(bundle))?.state).toBe("released");
    release(bundle);
    expect((await running.exited).exitCode).toBe(0);
  }, 30_000);

  test("an agent that comes up 2 s late is found, and the container starts then", async () => {
    const socketPath = workspace.path("late.sock");
    const bundle = createHeld("late", `unix://${socketPath}`);
    const running = runc.start(bundle);
    await waitFor("the container's cgroup has a process", () => readCommands(bundle.cgroupsPath).length > 0);
    await Bun.sleep(2_000);
    expect(hasWritten(bundle.outDir)).toBe(false);
    expect(await isListening(socketPath)).toBe(false);
    const late = await startAgent(workspace, { socketPath });
    const listeningMicros = unixMicros();
    const first = await waitForFirstAct(running, bundle.outDir);
    console.log(
      `late agent: first write ${Number(first.unixMicros - listeningMicros) / 1_000} ms after it was seen listening`,
    );
    expect((await late.containers()).map(({ name }) => name)).toContain("late");
    release(bundle);
    expect((await running.exited).exitCode).toBe(0);
    expect((await late.stop()).exitCode).toBe(0);
    rmSync(socketPath, { force: true });
  }, 60_000);

  test("an agent that is killed while it is asked, and started again, releases the container", async () => {
    const socketPath = workspace.path("killed.sock");
    const first = await startAgent(workspace, { socketPath });
    const bundle = createHeld("killed", first.address);
    first.process.signal("SIGSTOP");
    const running = runc.start(bundle);
    await waitFor("the hook is connected", () => hasSocket(`unix://${socketPath}`));
    first.process.signal("SIGKILL");
    await first.process.exited;
    expect(hasWritten(bundle.outDir)).toBe(false);
    const second = await startAgent(workspace, { socketPath });
    await waitForFirstAct(running, bundle.outDir);
    expect((await second.containers()).map(({ name }) => name)).toEqual(["killed"]);
    release(bundle);
    expect((await running.exited).exitCode).toBe(0);
    await second.stop();
  }, 30_000);
});

test("containers that start at the same moment are each known with their own cgroup", async () => {
  const bundles = Array.from({ length: 8 }, (_, n) => createHeld(`same-${n}`, agent.address));
  const started = bundles.map((bundle) => ({ bundle, running: runc.start(bundle) }));
  for (const { bundle, running } of started) {
    const first = await waitForFirstAct(running, bundle.outDir);
    expect((await findRecord(bundle))?.cgroupId).toBe(readCgroupId(first.cgroupPath));
  }
  for (const { bundle } of started) release(bundle);
  for (const { running } of started) expect((await running.exited).exitCode).toBe(0);
}, 60_000);

describe("RTHOOKS_POD", () => {
  const told = { uid: "told-uid", name: "told", namespace: "ops", labels: { app: "told" } };
  const variable = `RTHOOKS_POD=${JSON.stringify(told)}`;

  test("in the hook's environment is the container's pod, with its labels", async () => {
    const bundle = createHeld("env-hook", agent.address, { hookEnv: [variable] });
    const running = runc.start(bundle);
    await waitForFirstAct(running, bundle.outDir);
    const record = await findRecord(bundle);
    expect(record).toMatchObject({
      podUid: "told-uid",
      podName: "told",
      podNamespace: "ops",
      source: "hook",
    });
    expect(Object.fromEntries(record?.podLabels ?? [])).toEqual({ app: "told" });
    release(bundle);
    expect(await running.exited).toMatchObject({ exitCode: 0, stderr: "" });
  }, 30_000);

  test("in the container's own environment, which its author writes, is nothing", async () => {
    const bundle = createHeld("env-own", agent.address, { containerEnv: [variable] });
    const running = runc.start(bundle);
    await waitForFirstAct(running, bundle.outDir);
    const record = await findRecord(bundle);
    expect(record).toMatchObject({ podUid: pod.uid, podName: pod.name, podNamespace: pod.namespace });
    expect(record?.podLabels.get("app")).toBe("web");
    release(bundle);
    expect(await running.exited).toMatchObject({ exitCode: 0, stderr: "" });
  }, 30_000);
});
