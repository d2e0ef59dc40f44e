// SPDX-License-Identifier: Apache-2.0
// What every method into containerd must do alike: hold a container until the agent knows it, and deny or allow it by the
// rules when no agent answers.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { findCgroupDirectories, readCgroupId } from "../harness/cgroup.ts";
import type { Containerd } from "../harness/containerd.ts";
import { type PodContainer, runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct, hasWritten, unixMicros } from "../harness/first-act.ts";
import { readLog } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";

interface HoldMethod {
  readonly name: string;
  /** How the agent says that it learned of the container. */
  readonly source: "hook" | "nri";
  readonly hasLabels: boolean;
  /** What the user reads of a denied container. */
  readonly denial: (logPath: string) => string;
  /** Starts containerd and what belongs to it; the hook must be given these arguments. */
  start(workspace: Workspace, release: ContainerdRelease, hookArgs: readonly string[]): Promise<Containerd>;
}

const labels = { app: "web", "app.kubernetes.io/part-of": "shop" };
const deniedMessages = ["hook request to the agent failed", "failing container"];
const allowedMessages = [
  "hook request to the agent failed",
  "failCheck determined that we should not fail this container, even if there was an error",
];

const waitForAct = (container: PodContainer) =>
  waitFor("the container's first act", () => findFirstAct(container.outDir));

const waitForCgroup = (container: PodContainer) =>
  waitFor("the container's cgroup", () => findCgroupDirectories(container.cgroupPath).length > 0);

async function expectUnwritten(container: PodContainer, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    expect(hasWritten(container.outDir)).toBe(false);
    await Bun.sleep(5);
  }
}

/** What somebody would write into a pod to pass for another one. */
const lies = {
  "rthooks.v1/pod-labels": '{"app":"liar"}',
  "rthooks.v1/learned-by": "synchronize",
  "io.kubernetes.cri.sandbox-namespace": "ops",
  "io.kubernetes.cri.sandbox-name": "liar",
  "io.kubernetes.cri.sandbox-uid": "00000000-0000-4000-8000-000000000000",
  "io.kubernetes.pod.namespace": "ops",
};

/** The work adds these messages to the hook's log and no others; the plugin writes them behind its answer. */
async function expectMessages(
  logPath: string,
  messages: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  const before = readLog(logPath).length;
  await work();
  const readNew = () => readLog(logPath).slice(before);
  await waitFor("the hook's log", () => readNew().length >= messages.length);
  expect(readNew().map(({ msg }) => msg)).toEqual([...messages]);
}

function testRelease(method: HoldMethod, release: ContainerdRelease): void {
  const workspace = createWorkspace("ctd");
  const logPath = workspace.path("hook.log");
  let containerd: Containerd;
  let control: AgentControl;
  beforeAll(async () => {
    control = createAgentControl(workspace);
    await control.start();
    containerd = await method.start(workspace, release, [
      ...["--grpc-address", `unix://${control.socketPath}`, "--log-fname", logPath],
      // Above what the tests hold a container for, below the time that NRI gives a plugin.
      ...["--grpc-timeout", "1500ms", "--grpc-timeout-allowed", "300ms", "--fail-allow-namespaces", "ops"],
    ]);
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  const findRecord = async (id: string) =>
    (await control.agent().containers()).find((container) => container.id === id);
  const runPods = async () => ({
    denied: await runPod(containerd),
    allowed: await runPod(containerd, { namespace: "ops" }),
  });

  async function expectDenied(container: PodContainer): Promise<void> {
    const { cri } = containerd;
    await expectMessages(logPath, deniedMessages, async () => {
      const error: unknown = await cri.startContainer(container.id).catch((failure) => failure);
      expect(String(error)).toContain(method.denial(logPath));
    });
    expect(await cri.containerStatus(container.id)).toMatchObject({
      state: "CONTAINER_EXITED",
      reason: "StartError",
      message: expect.stringContaining(method.denial(logPath)),
    });
    expect(hasWritten(container.outDir)).toBe(false);
    expect(findCgroupDirectories(container.cgroupPath)).toEqual([]);
  }

  async function expectAllowed(container: PodContainer): Promise<void> {
    const { cri } = containerd;
    await expectMessages(logPath, allowedMessages, () => cri.startContainer(container.id));
    await waitForAct(container);
    expect(await cri.containerStatus(container.id)).toMatchObject({ state: "CONTAINER_RUNNING" });
  }

  test("the agent knows a container, its pod and its cgroup before it starts", async () => {
    const pod = await runPod(containerd, { labels });
    const container = await pod.runContainer({ name: "app" });
    const first = await waitForAct(container);
    const record = await findRecord(container.id);
    expect(record).toMatchObject({
      name: "app",
      podUid: pod.uid,
      podName: pod.name,
      podNamespace: "shop",
      cgroupPath: container.cgroupPath,
      cgroupId: readCgroupId(first.cgroupPath),
      state: "released",
      source: method.source,
    });
    if (method.hasLabels) expect(Object.fromEntries(record?.podLabels ?? [])).toMatchObject(labels);
    expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first.unixMicros);
    await pod.remove();
  }, 60_000);

  test("a container does nothing while the agent does not answer", async () => {
    const pod = await runPod(containerd);
    const container = await pod.createContainer();
    const { starting, thawedMicros } = await control.whileFrozen(async () => {
      const starting = containerd.cri.startContainer(container.id);
      await waitForCgroup(container);
      await expectUnwritten(container, 300);
      // In an object, or the caller would wait for it here.
      return { starting, thawedMicros: unixMicros() };
    });
    await starting;
    expect((await waitForAct(container)).unixMicros).toBeGreaterThan(thawedMicros);
    await pod.remove();
  }, 60_000);

  test("an agent that hangs: denied, or allowed by the rules; what was denied is not known later", async () => {
    const pods = await runPods();
    const denied = await pods.denied.createContainer();
    await control.whileFrozen(async () => {
      await expectDenied(denied);
      await expectAllowed(await pods.allowed.createContainer());
    });
    // What the agent was asked while it hung it has dealt with when it answers for the next one.
    await waitForAct(await pods.denied.runContainer());
    expect((await findRecord(denied.id))?.state).not.toBe("released");
    for (const pod of Object.values(pods)) await pod.remove();
  }, 60_000);

  test("no agent: denied, or allowed by the rules; once there is one again, all is well", async () => {
    const pods = await runPods();
    await control.end();
    await expectDenied(await pods.denied.createContainer());
    await expectAllowed(await pods.allowed.createContainer());
    await control.start();
    const container = await pods.denied.runContainer();
    await waitForAct(container);
    expect(await findRecord(container.id)).toMatchObject({ state: "released", podName: pods.denied.name });
    for (const pod of Object.values(pods)) await pod.remove();
  }, 60_000);

  test("annotations that name another pod, namespace or labels change nothing", async () => {
    const pod = await runPod(containerd, { labels, annotations: lies });
    const container = await pod.runContainer({ annotations: lies });
    const record = await findRecord(container.id);
    expect(record).toMatchObject({
      podUid: pod.uid,
      podName: pod.name,
      podNamespace: "shop",
      source: method.source,
    });
    expect(record?.podLabels.get("app")).toBe(method.hasLabels ? "web" : undefined);
    await control.whileFrozen(async () => expectDenied(await pod.createContainer({ annotations: lies })));
    await pod.remove();
  }, 60_000);

  test("an agent that comes up while a container waits answers for it", async () => {
    const pod = await runPod(containerd);
    await control.end();
    const container = await pod.createContainer();
    const starting = containerd.cri.startContainer(container.id);
    await waitForCgroup(container);
    await control.start();
    await starting;
    await waitForAct(container);
    expect(await findRecord(container.id)).toMatchObject({ state: "released" });
    await pod.remove();
  }, 60_000);
}

export function testDecisions(method: HoldMethod): void {
  describe.each(containerdReleases.map((release) => ({ ...release })))(
    `${method.name}, containerd $version`,
    (release) => testRelease(method, release),
  );
}
