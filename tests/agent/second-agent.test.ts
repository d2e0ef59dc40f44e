// SPDX-License-Identifier: Apache-2.0
// An agent that is started beside one that runs: it is refused before it changes anything of the other.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("second");
const parent = `/rthooks-second-${workspace.tag}`;
let bpfFs: string;
let first: Agent;

interface Places {
  readonly socket: string;
  readonly bpfDirectory: string;
  readonly kept: string;
  readonly info: string;
}
const own = (): Places => ({
  socket: workspace.path("first", "a.sock"),
  bpfDirectory: join(bpfFs, "first"),
  kept: workspace.path("first", "kept"),
  info: workspace.path("first", "info.json"),
});
const others = (): Places => ({
  socket: workspace.path("other", "a.sock"),
  bpfDirectory: join(bpfFs, "other"),
  kept: workspace.path("other", "kept"),
  info: workspace.path("other", "info.json"),
});

const flagsOf = ({ bpfDirectory, kept, info }: Places): readonly string[] => [
  ...["--enable-policy-filter", "--bpf-dir", bpfDirectory, "--tracing-policy-dir", workspace.path("none")],
  ...["--persist-grpc-policies", "--persist-dir", kept, "--info-file", info],
];

beforeAll(async () => {
  bpfFs = mountBpfFs(workspace);
  workspace.onClose(() => removeCgroup(parent));
  const { socket } = own();
  first = await startAgent(workspace, {
    socketPath: socket,
    flags: [...flagsOf(own()), "--enable-policy-filter-cgroup-map"],
  });
  const uid = "11111111-2222-4333-8444-555555555555";
  const id = "a".repeat(64);
  mkdirSync(findCgroupDirectory(`${parent}/pod${uid}/${id}`), { recursive: true });
  await callRuntimeHook(first.address, {
    ...{ cgroupsPath: `${parent}/pod${uid}/${id}`, containerID: id },
    ...{ podName: "web", podUID: uid, podNamespace: "shop" },
  });
  const policy = {
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicyNamespaced",
    metadata: { name: "web", namespace: "shop" },
    spec: {},
  };
  await callPolicies(first.address).add(JSON.stringify(policy));
}, 60_000);
afterAll(() => workspace.close(), 60_000);

/** What the first agent has made, with the inode of each: what is replaced by a like one has another. */
function look() {
  const { socket, bpfDirectory, kept, info } = own();
  const list = (directory: string) =>
    readdirSync(directory)
      .toSorted()
      .map((name) => [name, statSync(join(directory, name)).ino, statSync(join(directory, name)).mtimeMs]);
  return {
    maps: dumpPolicyFilter(bpfDirectory),
    pins: list(bpfDirectory).map(([name, ino]) => [name, ino]),
    kept: list(kept),
    info: readFileSync(info, "utf8"),
    socket: statSync(socket).ino,
  };
}

const runSecond = ({ socket, ...places }: Places) =>
  runProcess([findAgent(), "--server-address", `unix://${socket}`, ...flagsOf({ socket, ...places })], {
    killAfterMs: 60_000,
  });

describe("a second agent", () => {
  test.each([
    { shared: "everything", change: (): Partial<Places> => own(), named: () => own().socket },
    { shared: "the socket", change: () => ({ socket: own().socket }), named: () => own().socket },
    {
      shared: "the directory of the maps",
      change: () => ({ bpfDirectory: own().bpfDirectory }),
      named: () => own().bpfDirectory,
    },
    {
      shared: "the directory of kept policies",
      change: () => ({ kept: own().kept }),
      named: () => own().kept,
    },
  ])("that shares $shared is refused with one line, and nothing is changed", async ({ change, named }) => {
    const before = look();
    expect(before.maps.get(2)?.size).toBe(1);
    const { exitCode, stderr } = await runSecond({ ...others(), ...change() });
    expect(exitCode).toBe(1);
    const lines = stderr.trimEnd().split("\n");
    expect(lines.at(-1)).toStartWith(`tetragon: ${named()} is in use by process ${first.process.pid} (`);
    expect(lines.filter((line) => line.startsWith("tetragon: "))).toHaveLength(1);
    expect(look()).toEqual(before);
  });

  test("starts where it shares nothing", async () => {
    const { socket, ...places } = others();
    const second = await startAgent(workspace, { socketPath: socket, flags: flagsOf({ socket, ...places }) });
    expect((await second.stop()).exitCode).toBe(0);
    expect(readdirSync(workspace.path("other")).toSorted()).toEqual(["kept"]);
  });

  test("starts in the place of one that was killed, at once", async () => {
    const before = look().maps;
    first.process.signal("SIGKILL");
    await first.process.exited;
    first = await startAgent(workspace, { socketPath: own().socket, flags: flagsOf(own()) });
    expect(dumpPolicyFilter(own().bpfDirectory)).toEqual(before);
  });
});
