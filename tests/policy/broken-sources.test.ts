// SPDX-License-Identifier: Apache-2.0
// What the built agent cannot read is not gone: policies stay in the kernel's maps while a source of policies is broken,
// also those that an earlier agent has left there.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { runProcess } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("src");
const directory = workspace.path("tp.d");
const kept = workspace.path("kept");
const parent = `/rthooks-src-${workspace.tag}`;
const podUid = `${crypto.randomUUID().slice(0, 8)}-0000-4000-8000-000000000001`;
const cgroupsPath = `${parent}/kubepods/pod${podUid}/c`;
let maps: string;
let control: AgentControl;
let cgroupId: bigint;

/** About the namespace's containers: the test needs no source of labels. */
const policy = (name: string): string => `apiVersion: cilium.io/v1alpha1
kind: TracingPolicyNamespaced
metadata:
  name: ${name}
  namespace: shop
spec:
  kprobes:
  - call: sys_acct
`;
const file = join(directory, "a.yaml");
const allPods = 1;
/** Longer than a file has to be missing until it is gone. */
const UNTIL_GONE_MS = 6_000;

const client = () => callPolicies(`unix://${control.socketPath}`);
const members = (): readonly (readonly [number, boolean])[] =>
  [...dumpPolicyFilter(maps)]
    .filter(([id]) => id !== allPods)
    .map(([id, cgroupIds]) => [id, cgroupIds.has(cgroupId)] as const)
    .toSorted(([one], [other]) => one - other);
const log = (): string => control.agent().process.stderr();
const waitForLog = (text: string) => waitFor(`the log says "${text}"`, () => log().includes(text), 30_000);
const announce = () =>
  callRuntimeHook(`unix://${control.socketPath}`, {
    ...{ cgroupsPath, containerID: "c".repeat(64), podName: "p", podUID: podUid, podNamespace: "shop" },
  });
const health = async (): Promise<string> => {
  const status = await control.agent().status("--output", "json");
  return JSON.parse(status.stdout).health;
};
const kill = async (): Promise<void> => {
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
};
const setDescriptorLimit = async (limit: string): Promise<void> => {
  const { stderr } = await runProcess([
    ...[findTool("prlimit"), "--pid", `${control.agent().process.pid}`, `--nofile=${limit}`],
  ]);
  expect(stderr).toBe("");
};

beforeAll(async () => {
  mkdirSync(directory);
  maps = join(mountBpfFs(workspace), "tetragon");
  workspace.onClose(() => removeCgroup(parent));
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  cgroupId = readCgroupId(cgroupsPath);
  control = createAgentControl(workspace, [
    ...["--enable-policy-filter", "--bpf-dir", maps, "--tracing-policy-dir", directory],
    ...["--persist-grpc-policies", "--persist-dir", kept],
  ]);
  writeFileSync(file, policy("a"));
  await control.start();
  await announce();
  expect(members()).toEqual([[2, true]]);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

test("without descriptors nothing can be listed, and the policies stay", async () => {
  const limits = readFileSync(`/proc/${control.agent().process.pid}/limits`, "utf8");
  const before = /Max open files +(\d+) +(\d+)/.exec(limits) ?? [];
  // It bounds the numbers of new ones, and these three are taken.
  await setDescriptorLimit(`3:${before[2]}`);
  await waitForLog("cannot list tracing policy files");
  await Bun.sleep(UNTIL_GONE_MS);
  expect(members()).toEqual([[2, true]]);
  expect(log()).not.toContain("is gone");
  await setDescriptorLimit(`${before[1]}:${before[2]}`);
  await waitFor("the agent is well", async () => (await health()) === "running");
  expect(members()).toEqual([[2, true]]);
}, 60_000);

test("a directory that is away for a moment keeps its policies in force", async () => {
  renameSync(directory, `${directory}.away`);
  await waitForLog("tracing policy file is missing");
  renameSync(`${directory}.away`, directory);
  expect(members()).toEqual([[2, true]]);
  // Any later look has seen the directory again.
  writeFileSync(join(directory, "b.yaml"), policy("b"));
  await waitFor("both are in force", async () => {
    const { policies } = await client().list();
    return policies.filter(({ enabled }) => enabled).length === 2;
  });
  expect(log()).not.toContain("is gone");
  expect(members()).toEqual([
    [2, true],
    [3, true],
  ]);
}, 60_000);

test("what an earlier agent left stays while a file is broken, and is told", async () => {
  await kill();
  const good = readFileSync(file, "utf8");
  writeFileSync(file, good.slice(0, 60));
  rmSync(join(directory, "b.yaml"));
  await control.start();
  expect(await health()).toContain(file);
  expect((await client().list()).policies).toMatchObject([{ name: file, error: expect.any(String) }]);
  await Bun.sleep(UNTIL_GONE_MS);
  expect(members()).toEqual([
    [2, true],
    [3, true],
  ]);
  writeFileSync(file, good);
  await waitFor("the policy of the removed file is gone", () => members().length === 1, 30_000);
  expect(members()).toEqual([[2, true]]);
  expect(await health()).toBe("running");
}, 60_000);

test("the same holds for policies from calls", async () => {
  await announce();
  await client().add(policy("called"));
  expect(members().map(([, isIn]) => isIn)).toEqual([true, true]);
  await kill();
  const [name = ""] = readdirSync(kept);
  const good = readFileSync(join(kept, name), "utf8");
  writeFileSync(join(kept, name), good.slice(0, 40));
  await control.start();
  expect(await health()).toContain(join(kept, name));
  await Bun.sleep(UNTIL_GONE_MS);
  expect(members().map(([, isIn]) => isIn)).toEqual([true, true]);
  writeFileSync(join(kept, name), good);
  await waitFor("it is in force again", async () => (await health()) === "running", 30_000);
  expect((await client().list()).policies.map((one) => one.name)).toContain("called");
  expect(members().map(([, isIn]) => isIn)).toEqual([true, true]);
}, 60_000);

test("what an earlier agent left stays while an object of the API server is faulty", async () => {
  const own = createWorkspace("src-api");
  workspace.onClose(() => own.close());
  const api = startKubeApi(own);
  const put = (name: string, spec: object) =>
    api.putObject("tracingpolicies", name, {
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name }, spec },
    });
  const web = { podSelector: { matchLabels: { app: "web" } } };
  put("edited", web);
  put("deleted", web);
  // The server has both kinds.
  api.putObject("tracingpoliciesnamespaced", "other", { metadata: { name: "other", namespace: "shop" } });
  api.delete("other");
  const ownMaps = join(mountBpfFs(own), "tetragon");
  const count = (): number => dumpPolicyFilter(ownMaps).size - 1;
  const ownControl = createAgentControl(own, [
    ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(own, api), "--node-name", "node-1"],
    ...["--enable-policy-filter", "--bpf-dir", ownMaps, "--enable-tracing-policy-crd"],
    ...["--tracing-policy-dir", own.path("none")],
  ]);
  await ownControl.start();
  await waitFor("both policies", () => count() === 2);
  ownControl.agent().process.signal("SIGKILL");
  await ownControl.agent().process.exited;
  put("edited", { podSelector: { matchLabel: {} } });
  api.delete("deleted");
  await ownControl.start();
  await waitFor("the fault is told", () =>
    ownControl.agent().process.stderr().includes("cannot use tracing policy"),
  );
  await Bun.sleep(UNTIL_GONE_MS);
  expect(count()).toBe(2);
  put("edited", web);
  await waitFor("the deleted policy is gone", () => count() === 1, 30_000);
}, 60_000);
