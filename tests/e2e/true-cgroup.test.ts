// SPDX-License-Identifier: Apache-2.0
// The agent is told the cgroup that the kernel has the container's process in, whatever the spec asked for.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { type RecordedAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import { containerdAnnotations, writeSpec } from "../harness/hook.ts";
import { runProcess, startProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { readLog } from "../harness/records.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("true-cgroup");
const uid = "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11";
const annotations = containerdAnnotations({ uid, namespace: "shop", name: "web-0" });
let runc: Runc;
let agent: RecordedAgent;

beforeAll(async () => {
  runc = createRunc(workspace);
  agent = await startRecordingAgent(workspace);
});
afterAll(() => workspace.close());

/** The path in the line of the v2 hierarchy. */
function readV2Path(file: string): string | undefined {
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((text) => text.startsWith("0::"));
  return line?.slice("0::".length);
}

let count = 0;

function createContainer(cgroupsPath: string): { readonly bundle: Bundle; readonly log: string } {
  const id = `c${++count}-${workspace.tag}`;
  const log = workspace.path(`${id}.log`);
  const address = ["--grpc-address", `unix://${agent.socketPath}`, "--log-fname", log];
  const bundle = createBundle(workspace, {
    id,
    cgroupsPath,
    annotations,
    script: firstActScript,
    hooks: {
      createRuntime: [{ path: findHook(), args: ["tetragon-oci-hook", "createRuntime", ...address] }],
    },
  });
  return { bundle, log };
}

describe("runc", () => {
  const id = "e".repeat(64);
  const dashless = uid.replaceAll("-", "_");
  test.each([
    { what: "without a path in the spec, as `runc spec` writes it", path: () => "" },
    { what: "with the path that it makes", path: () => `${runc.cgroupParent}/a/b` },
    {
      what: "with systemd's form, and without --systemd-cgroup",
      path: () => `kubepods-${workspace.tag}-pod${dashless}.slice:cri-containerd:${id}`,
      remark: `linux.cgroupsPath "kubepods-${workspace.tag}`,
    },
    { what: "with a name, which is relative to its own cgroup", path: () => `${workspace.tag}-name` },
  ])("$what", async ({ path, remark }) => {
    const { bundle, log } = createContainer(path());
    const before = agent.requests.length;
    expect(await runc.run(bundle)).toMatchObject({ exitCode: 0, stderr: "" });
    const truth = readV2Path(join(bundle.outDir, "cgroup"));
    expect(truth).toMatch(/^\/./);
    expect(agent.requests[before]?.event?.createContainer.cgroupsPath).toBe(truth ?? "");
    const lines = readLog(log);
    expect(lines).toHaveLength(1);
    if (remark !== undefined) expect(lines[0]?.["cgroups-remark"]).toContain(remark);
    else if (path().startsWith("/")) expect(lines[0]?.["cgroups-remark"]).toBeUndefined();
  });
});

/** What no runtime here does: a hook that is called by hand, for a process that the test moves. */
describe("a runtime", () => {
  const runFor = async (pid: number, linux: object, launcher: readonly string[] = []) => {
    const dir = writeSpec(workspace.path(`hand-${++count}`), {
      ociVersion: "1.0.2",
      root: { path: "rootfs" },
      annotations,
      linux,
    });
    const log = workspace.path(`hand-${count}.log`);
    const before = agent.requests.length;
    const state = { ociVersion: "1.0.2", id: "c", status: "creating", pid, bundle: dir };
    const args = ["createRuntime", "--grpc-address", `unix://${agent.socketPath}`, "--log-fname", log];
    const result = await runProcess([...launcher, findHook(), ...args], { stdin: JSON.stringify(state) });
    const asked = agent.requests.slice(before).map(({ event }) => event?.createContainer.cgroupsPath);
    return { result, asked, remark: readLog(log)[0]?.["cgroups-remark"] };
  };

  test("that makes no cgroup, as crun --cgroups=disabled, has its container denied", async () => {
    const { result, asked } = await runFor(process.pid, {});
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("has no cgroup of its own");
    expect(asked).toEqual([]);
  });

  test("that has not moved the process yet is believed about a path that it names, with a remark", async () => {
    const { result, asked, remark } = await runFor(process.pid, { cgroupsPath: "/a/b" });
    expect(result.exitCode).toBe(0);
    expect(asked).toEqual(["/a/b"]);
    expect(remark).toContain("has no cgroup of its own");
  });

  test("in a cgroup namespace of its own, outside of which the process is, has the spec's told", async () => {
    const parent = `/rthooks-test-${workspace.tag}-ns`;
    for (const name of ["runtime", "c1"])
      mkdirSync(findCgroupDirectory(`${parent}/${name}`), { recursive: true });
    workspace.onClose(() => removeCgroup(parent));
    const held = startProcess(["/bin/sleep", "600"], {}, workspace);
    writeFileSync(findCgroupDirectory(`${parent}/c1/cgroup.procs`), String(held.pid));
    // Seen from the namespace, it is in "/../c1".
    const enter = `echo $$ > ${findCgroupDirectory(`${parent}/runtime/cgroup.procs`)}; exec unshare -C "$0" "$@"`;
    const inNamespace = ["/bin/sh", "-c", enter];
    const right = await runFor(held.pid, { cgroupsPath: `${parent}/c1` }, inNamespace);
    const wrong = await runFor(held.pid, {}, inNamespace);
    held.signal("SIGKILL");
    await held.exited;
    expect(right).toMatchObject({ result: { exitCode: 0 }, asked: [`${parent}/c1`], remark: undefined });
    expect(wrong).toMatchObject({ result: { exitCode: 1 }, asked: [] });
  });

  test("that puts the process into a child of the spec's cgroup, as crun, has the spec's told", async () => {
    const parent = `/rthooks-test-${workspace.tag}-child`;
    mkdirSync(join(findCgroupDirectory(parent), "container"), { recursive: true });
    workspace.onClose(() => removeCgroup(parent));
    const held = startProcess(["/bin/sleep", "600"], {}, workspace);
    writeFileSync(join(findCgroupDirectory(parent), "container/cgroup.procs"), String(held.pid));
    const { result, asked, remark } = await runFor(held.pid, { cgroupsPath: parent });
    held.signal("SIGKILL");
    await held.exited;
    expect(result.exitCode).toBe(0);
    expect(asked).toEqual([parent]);
    expect(remark).toBeUndefined();
  });
});
