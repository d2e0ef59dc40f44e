// SPDX-License-Identifier: Apache-2.0
// podman with the files that the set-up tool writes, as they are.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { type Agent, startAgent } from "../harness/agent.ts";
import { firstActScript } from "../harness/bundle.ts";
import { findFirstAct, hasWritten } from "../harness/first-act.ts";
import { createPodman, type Podman } from "../harness/podman.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";
import { readLog } from "../harness/records.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("pinst");
const installDir = workspace.path("opt");
let podman: Podman;
let agent: Agent;

beforeAll(async () => {
  podman = await createPodman(workspace);
  agent = await startAgent(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const setUp = (command: string, flags: readonly string[] = [], hookArgs: readonly string[] = []) =>
  runProcess(
    [
      ...[findSetup(), command, "--host-install-dir", installDir, "--oci-hooks.local-dir", podman.hooksDir],
      ...flags,
      ...(hookArgs.length === 0 ? [] : ["hook-args", ...hookArgs]),
    ],
    { killAfterMs: 60_000 },
  );

const install = (socketPath: string, libc: string): Promise<Finished> =>
  setUp(
    "install",
    ["--local-binary", findHook(), "--libc", libc],
    [
      "--grpc-address",
      `unix://${socketPath}`,
      "--grpc-timeout",
      "500ms",
      "--log-fname",
      workspace.path("hook.log"),
    ],
  );

let count = 0;
async function run(namespace: string): Promise<Finished & { readonly outDir: string }> {
  const name = `i${++count}`;
  const outDir = workspace.path(name);
  mkdirSync(outDir);
  const annotations = {
    "io.kubernetes.pod.uid": "0c7f2a3e-8d5b-4b2e-a7fb-1d2c3b4a5f66",
    "io.kubernetes.pod.namespace": namespace,
    "io.kubernetes.pod.name": "web-0",
    "io.kubernetes.container.name": name,
  };
  const done = await podman.start({ name, outDir, annotations, script: firstActScript }).exited;
  return { ...done, outDir };
}

test.each(["host", "bundled"])(
  "--libc %s: the agent knows a container before it starts; without an agent it is denied",
  async (libc) => {
    expect(await install(agent.socketPath, libc)).toMatchObject({ exitCode: 0 });
    const held = await run("shop");
    expect(held).toMatchObject({ exitCode: 0, stderr: "" });
    const first = findFirstAct(held.outDir);
    const record = (await agent.containers()).find(({ name }) => name === `i${count}`);
    expect(record).toMatchObject({ podNamespace: "shop", podName: "web-0", source: "hook" });
    expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first?.unixMicros ?? 0n);

    expect(await install(workspace.path("nobody.sock"), libc)).toMatchObject({ exitCode: 0 });
    const denied = await run("shop");
    expect(denied).toMatchObject({ exitCode: 126, stderr: expect.stringContaining("Check logs") });
    expect(hasWritten(denied.outDir)).toBe(false);
    expect(readLog(workspace.path("hook.log")).at(-1)).toMatchObject({ msg: "failing container" });
  },
  120_000,
);

test("after uninstall containers start, and nothing is left", async () => {
  expect(await setUp("uninstall")).toMatchObject({ exitCode: 0 });
  const free = await run("shop");
  expect(free).toMatchObject({ exitCode: 0, stderr: "" });
  expect(findFirstAct(free.outDir)).toBeDefined();
}, 60_000);
