// SPDX-License-Identifier: Apache-2.0
// The built agent is killed at any moment while it adds, replaces and deletes a policy. Afterwards the whole policy is in
// force, or the whole one before it, as a process in a container sees it; and the next agent goes on from there.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { forbidExecution, toPolicy } from "./policy-sources.ts";

const workspace = createWorkspace("ekill");
const uid = `${crypto.randomUUID().slice(0, 8)}-0000-4000-8000-000000000001`;
const parent = `/rthooks-ekill-${workspace.tag}`;
const cgroupsPath = `${parent}/kubepods/pod${uid}/${"c".repeat(64)}`;
const file = workspace.path("policies/changing.json");
const kills = 12;
let control: AgentControl;

/** Each of two versions of the policy forbids two files. */
const versions = { one: ["a", "b"], other: ["c", "d"] } as const;
const binary = (name: string): string => workspace.path(name);
const write = (version: keyof typeof versions): string =>
  toPolicy("changing", forbidExecution(...versions[version].map(binary)));

beforeAll(async () => {
  for (const name of Object.values(versions).flat()) copyFileSync("/bin/true", binary(name));
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  workspace.onClose(() => removeCgroup(parent));
  const metadata = { name: "web-0", namespace: "shop", uid, labels: { app: "web" } };
  writeFileSync(
    workspace.path("pods.json"),
    JSON.stringify({ kind: "List", items: [{ kind: "Pod", metadata }] }),
  );
  mkdirSync(workspace.path("policies"));
  control = createAgentControl(workspace, [
    ...["--pods-file", workspace.path("pods.json"), "--sweep-interval", "100ms", "--log-level", "warn"],
    ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
    ...["--tracing-policy-dir", workspace.path("policies")],
    ...["--persist-grpc-policies", "--persist-dir", workspace.path("kept")],
  ]);
  await control.start();
  await hold();
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const hold = () =>
  callRuntimeHook(`unix://${control.socketPath}`, {
    ...{ cgroupsPath, containerID: "c".repeat(64), podName: "web-0", podUID: uid, podNamespace: "shop" },
  });

/** Which files a process in the container cannot execute. */
const lookAround = (): string =>
  Object.values(versions)
    .flat()
    .filter((name) => runInCgroup(cgroupsPath, [binary(name)]).exitCode !== 0)
    .join("");

async function killAfter(milliseconds: number): Promise<void> {
  await Bun.sleep(milliseconds);
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
}

test("a policy that is replaced is the old one or the new one, at every moment", async () => {
  const put = (version: keyof typeof versions): void => {
    writeFileSync(workspace.path("next.json"), write(version));
    renameSync(workspace.path("next.json"), file);
  };
  put("one");
  await waitFor("the first version", () => lookAround() === "ab");
  const seen = new Map<string, number>();
  for (let kill = 0; kill < kills; kill++) {
    put(kill % 2 === 0 ? "other" : "one");
    // A file is used when it has stayed the same for half a second.
    await killAfter(500 + Math.random() * 150);
    const left = lookAround();
    expect(["ab", "cd"]).toContain(left);
    seen.set(left, (seen.get(left) ?? 0) + 1);
    await control.start();
    expect(["ab", "cd"]).toContain(lookAround());
    await hold();
    await waitFor("the new version", () => lookAround() === (kill % 2 === 0 ? "cd" : "ab"), 20_000);
  }
  // Else the moments were the wrong ones.
  expect(seen.size).toBe(2);
}, 180_000);

test("a policy that is added or deleted is there as a whole or not at all", async () => {
  await Bun.file(file).unlink();
  await waitFor("no policy", () => lookAround() === "", 20_000);
  const calls = () => callPolicies(`unix://${control.socketPath}`);
  for (let kill = 0; kill < kills; kill++) {
    const call = kill % 2 === 0 ? calls().add(write("one")) : calls().delete("changing");
    const ended = call.then(
      () => "answered" as const,
      () => "cut off" as const,
    );
    await killAfter(Math.random() * 60);
    const left = lookAround();
    const before = kill % 2 === 0 ? "" : "ab";
    const after = kill % 2 === 0 ? "ab" : "";
    expect(left).toBeOneOf((await ended) === "answered" ? [after] : [before, after]);
    await control.start();
    await hold();
    // Whichever it is: the call is made again.
    await (kill % 2 === 0 ? calls().add(write("one")) : calls().delete("changing")).catch(() => {});
    await waitFor("the outcome", () => lookAround() === after, 20_000);
  }
}, 180_000);
