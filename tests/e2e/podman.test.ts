// SPDX-License-Identifier: Apache-2.0
// Containers that podman makes, with the hook in its OCI hooks directory; the directory's code is CRI-O's too.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import { firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectories, readCgroupId } from "../harness/cgroup.ts";
import { type BadAgent, startBadAgent } from "../harness/fake-agents.ts";
import { findFirstAct, hasWritten, unixMicros, waitForFirstAct } from "../harness/first-act.ts";
import { createGate } from "../harness/gate.ts";
import { createPodman, type Podman } from "../harness/podman.ts";
import type { RunningProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { readLog } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("podman");
const pod = {
  "io.kubernetes.pod.uid": "9f3f6c1e-2f55-4b0f-8f9b-4a1d5e1f7c22",
  "io.kubernetes.pod.namespace": "shop",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.container.name": "app",
};
let podman: Podman;
let agent: Agent;

beforeAll(async () => {
  podman = await createPodman(workspace);
  agent = await startAgent(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

interface Started {
  readonly name: string;
  readonly outDir: string;
  readonly logPath: string;
  readonly running: RunningProcess;
}

let count = 0;

function startContainer(options: {
  readonly socketPath: string;
  readonly flags?: readonly string[];
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly stage?: string;
  readonly untilEnd?: boolean;
}): Started {
  const name = `p${++count}`;
  const outDir = workspace.path(name);
  const logPath = workspace.path(`${name}.log`);
  const stage = options.stage ?? "createRuntime";
  mkdirSync(outDir);
  podman.setHook(
    findHook(),
    [
      stage,
      "--grpc-address",
      `unix://${options.socketPath}`,
      "--log-fname",
      logPath,
      ...(options.flags ?? []),
    ],
    stage,
  );
  const running = podman.start({
    name,
    outDir,
    annotations: {
      ...pod,
      "io.kubernetes.pod.namespace": options.namespace ?? "shop",
      ...options.annotations,
    },
    script: options.untilEnd
      ? `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`
      : firstActScript,
  });
  return { name, outDir, logPath, running };
}

async function expectDenied({ name, outDir, logPath, running }: Started): Promise<void> {
  const { stderr, exitCode } = await running.exited;
  expect(stderr).toContain(`Check logs (${logPath}) for additional info`);
  // Podman's code for "the command cannot be invoked".
  expect(exitCode).toBe(126);
  expect(hasWritten(outDir)).toBe(false);
  expect(await podman.names()).not.toContain(name);
  expect(readLog(logPath).map(({ msg }) => msg)).toEqual([
    "hook request to the agent failed",
    "failing container",
  ]);
}

async function expectAllowed({ outDir, logPath, running }: Started): Promise<void> {
  const { stderr, exitCode } = await running.exited;
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(findFirstAct(outDir)).toBeDefined();
  expect(readLog(logPath).map(({ msg }) => msg)).toEqual([
    "hook request to the agent failed",
    "failCheck determined that we should not fail this container, even if there was an error",
  ]);
}

const short = ["--grpc-timeout", "400ms"];
const nobody = workspace.path("nobody.sock");

describe("with an agent", () => {
  test.each([{ stage: "createRuntime" }, { stage: "prestart" }])(
    "podman's container is known with its id, pod and cgroup before it starts ($stage)",
    async ({ stage }) => {
      const started = startContainer({ socketPath: agent.socketPath, stage, untilEnd: true });
      const first = await waitForFirstAct(started.running, started.outDir);
      const id = /libpod-([0-9a-f]{64})$/.exec(first.cgroupPath)?.[1];
      const record = (await agent.containers()).find((container) => container.id === id);
      expect(record).toMatchObject({
        cgroupId: readCgroupId(first.cgroupPath),
        podUid: pod["io.kubernetes.pod.uid"],
        podName: "web-0",
        podNamespace: "shop",
        name: "app",
        state: "released",
        source: "hook",
      });
      expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first.unixMicros);
      expect(readLog(started.logPath)).toMatchObject([
        { level: "INFO", msg: "hook request to agent succeeded", "req-cgroups": first.cgroupPath },
      ]);
      writeFileSync(join(started.outDir, "end"), "");
      expect(await started.running.exited).toMatchObject({ exitCode: 0, stderr: "" });
    },
    60_000,
  );

  test("podman's container does nothing while the answer is withheld", async () => {
    const gate = await createGate(workspace, agent.socketPath);
    const started = startContainer({ socketPath: gate.address.replace("unix://", "") });
    await waitFor("the answer waits at the gate", () => gate.heldBytes() > 0);
    const until = performance.now() + 300;
    while (performance.now() < until) {
      expect(hasWritten(started.outDir)).toBe(false);
      await Bun.sleep(5);
    }
    const openedMicros = unixMicros();
    gate.open();
    const first = await waitForFirstAct(started.running, started.outDir);
    expect(first.unixMicros).toBeGreaterThan(openedMicros);
    expect((await started.running.exited).exitCode).toBe(0);
  }, 60_000);

  test("an agent that comes up 2 s late is found", async () => {
    const socketPath = workspace.path("late.sock");
    const started = startContainer({ socketPath });
    await Bun.sleep(2_000);
    expect(hasWritten(started.outDir)).toBe(false);
    const late = await startAgent(workspace, { socketPath });
    await waitForFirstAct(started.running, started.outDir);
    expect((await started.running.exited).exitCode).toBe(0);
    await late.stop();
  }, 60_000);
});

describe("without an agent", () => {
  test("podman's container is denied: it does not exist afterwards, and podman shows why", async () => {
    const denied = startContainer({ socketPath: nobody, flags: short });
    await expectDenied(denied);
    const cgroup = readLog(denied.logPath)[0]?.["req-cgroups"];
    expect(cgroup).toStartWith(`${podman.cgroupParent}/libpod-`);
    expect(findCgroupDirectories(String(cgroup))).toEqual([]);
  }, 60_000);

  const early = ["--grpc-timeout", "5s", "--grpc-timeout-allowed", "100ms"];
  test.each([
    { name: "the agent's own namespace", namespace: "kube-system", flags: [] },
    { name: "a listed namespace", namespace: "ops", flags: ["--fail-allow-namespaces", "ops"] },
    { name: "a pattern", namespace: "ci-42", flags: ["--fail-allow-namespaces-regex", "^ci-"] },
    {
      name: "CEL",
      namespace: "shop",
      flags: ["--fail-cel-expr", "annotations['io.kubernetes.pod.name'] != 'web-0'"],
    },
  ])(
    "podman's container is allowed by $name",
    async ({ namespace, flags }) => {
      await expectAllowed(startContainer({ socketPath: nobody, namespace, flags: [...early, ...flags] }));
    },
    60_000,
  );

  test("podman's container is denied by CEL in the agent's own namespace", async () => {
    const flags = [...short, "--fail-cel-expr", "true"];
    await expectDenied(startContainer({ socketPath: nobody, namespace: "kube-system", flags }));
  }, 60_000);

  const behaviours: readonly BadAgent[] = ["accepts and stays silent", "dies mid-way"];
  test.each(behaviours.map((behaviour) => ({ behaviour })))(
    "podman's container is denied by an agent that $behaviour",
    async ({ behaviour }) => {
      const socketPath = await startBadAgent(workspace, behaviour);
      await expectDenied(startContainer({ socketPath, flags: short }));
    },
    60_000,
  );
});
