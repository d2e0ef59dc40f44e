// SPDX-License-Identifier: Apache-2.0
// The kernel's maps and real containers: a container's cgroup is in them before its first instruction, and as long as the
// container lives, whatever becomes of the agent.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../harness/agent.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { addToPolicyFilter, dumpCgroupPolicies, dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectory, readCgroupId } from "../harness/cgroup.ts";
import { hasWritten, waitForFirstAct } from "../harness/first-act.ts";
import { createGate } from "../harness/gate.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook, findTool } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("pf");
const allPods = 1;
let runc: Runc;
let control: AgentControl;
let directory: string;

beforeAll(async () => {
  runc = createRunc(workspace);
  directory = join(mountBpfFs(workspace), "tetragon");
  control = createAgentControl(workspace, [
    ...["--enable-policy-filter", "--bpf-dir", directory, "--sweep-interval", "200ms"],
    "--enable-policy-filter-cgroup-map",
  ]);
  await control.start();
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const pod = { uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11", namespace: "shop", name: "web-0" };

function create(name: string, address: string): Bundle {
  return createBundle(workspace, {
    id: `${name}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${name}`,
    annotations: containerdAnnotations({ ...pod, container: name }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", address],
            ...["--log-fname", workspace.path(`${name}.log`)],
          ],
        },
      ],
    },
  });
}

const members = () => dumpPolicyFilter(directory).get(allPods) ?? new Set<bigint>();
const end = (bundle: Bundle) => writeFileSync(join(bundle.outDir, "end"), "");

test("the cgroup is in the map before the answer that lets the container go", async () => {
  const gate = await createGate(workspace, control.socketPath);
  const bundle = create("held", gate.address);
  const running = runc.start(bundle);
  await waitFor("the answer waits at the gate", () => gate.heldBytes() > 0);
  expect(hasWritten(bundle.outDir)).toBe(false);
  const before = members();
  gate.open();
  const first = await waitForFirstAct(running, bundle.outDir);
  expect(before.has(readCgroupId(first.cgroupPath))).toBe(true);
  end(bundle);
  await running.exited;
}, 60_000);

test("a container that runs stays in the map while the agent is killed and comes back; one that ended leaves it", async () => {
  const bundles = ["a", "b"].map((name) => create(name, `unix://${control.socketPath}`));
  const running = bundles.map((bundle) => runc.start(bundle));
  const ids: bigint[] = [];
  for (const [at, bundle] of bundles.entries()) {
    const one = running[at];
    if (one !== undefined) ids.push(readCgroupId((await waitForFirstAct(one, bundle.outDir)).cgroupPath));
  }
  const [first = 0n, second = 0n] = ids;
  expect([...members()]).toEqual(expect.arrayContaining([first, second]));
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  expect([...members()]).toEqual(expect.arrayContaining([first, second]));
  // It ends while nobody looks.
  if (bundles[0] !== undefined) end(bundles[0]);
  await running[0]?.exited;
  await control.start();
  await waitFor("what has ended is out of the map", () => !members().has(first), 30_000);
  expect(members().has(second)).toBe(true);
  if (bundles[1] !== undefined) end(bundles[1]);
  await running[1]?.exited;
  await waitFor("the map is empty", () => members().size === 0, 30_000);
}, 60_000);

test("the map of each cgroup's policies says the same the other way round", async () => {
  const bundle = create("reverse", `unix://${control.socketPath}`);
  const running = runc.start(bundle);
  const id = readCgroupId((await waitForFirstAct(running, bundle.outDir)).cgroupPath);
  const isRight = () => Bun.deepEquals(dumpCgroupPolicies(directory), new Map([[id, new Set([1n])]]));
  await waitFor("it is there", isRight);
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  expect(isRight()).toBe(true);
  await control.start();
  end(bundle);
  await running.exited;
  await waitFor("it is gone", () => dumpCgroupPolicies(directory).size === 0);
}, 60_000);

test("after an update the entries of cgroups below a container's are gone, and the container's own never is", async () => {
  const bundle = create("nesting", `unix://${control.socketPath}`);
  const running = runc.start(bundle);
  const { cgroupPath } = await waitForFirstAct(running, bundle.outDir);
  const inner = findCgroupDirectory(`${cgroupPath}/inner`);
  mkdirSync(inner);
  const [own, nested] = [readCgroupId(cgroupPath), readCgroupId(`${cgroupPath}/inner`)];
  control.agent().process.signal("SIGKILL");
  await control.agent().process.exited;
  // As earlier versions of the agent left it.
  addToPolicyFilter(directory, allPods, nested);
  expect([...members()]).toEqual(expect.arrayContaining([own, nested]));
  await control.start();
  await waitFor("the inner one is out of the map", () => {
    const now = members();
    expect(now.has(own)).toBe(true);
    return !now.has(nested);
  });
  rmdirSync(inner);
  end(bundle);
  await running.exited;
}, 60_000);

test("where no bpf file system is mounted the agent mounts it", async () => {
  // In mounts of its own: the machine's stay as they are.
  const socket = workspace.path("own.sock");
  const script = 'umount /sys/fs/bpf 2>/dev/null; exec "$@"';
  const agent = startProcess(
    [
      ...[
        findTool("unshare"),
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        script,
        "sh",
        findAgent(),
      ],
      ...["--info-file=", "--server-address", `unix://${socket}`, "--enable-policy-filter"],
      ...["--bpf-dir", workspace.tag, "--tracing-policy-dir", workspace.path("none")],
    ],
    {},
    workspace,
  );
  await waitFor("the agent listens", () => agent.stderr().includes("listening"));
  expect(agent.stderr()).toContain("bpf file system mounted");
  expect(existsSync(`/sys/fs/bpf/${workspace.tag}`)).toBe(false);
  const seen = await runProcess([
    ...[findTool("nsenter"), "--target", String(agent.pid), "--mount", findTool("bpftool"), "map", "dump"],
    ...["pinned", `/sys/fs/bpf/${workspace.tag}/policy_filter_maps`],
  ]);
  expect(seen.stdout).toContain("Found 1 element");
  agent.signal("SIGTERM");
  await agent.exited;
}, 60_000);

test("without a bpf file system the agent runs, and says that nothing is enforced", async () => {
  const metrics = workspace.path("metrics.sock");
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-policy-filter", "--bpf-dir", workspace.path("no-bpf")],
      ...["--metrics-server", `unix://${metrics}`],
    ],
  });
  await waitFor("it says so", () =>
    agent.process.stderr().includes("the policy filter is in memory only: OBJ_PIN"),
  );
  const bundle = create("memory", agent.address);
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  expect((await agent.containers()).length).toBe(1);
  const { stdout, stderr } = await agent.status();
  expect(stdout).toContain("memory");
  expect(stderr).toContain("the agent is running, but the policy filter is in memory only: OBJ_PIN");
  const figures = await (await fetch("http://agent/metrics", { unix: metrics })).text();
  for (const line of [
    "tetragon_policyfilter_in_kernel 0",
    'tetragon_health_problems{part="policy-filter"} 1',
    'tetragon_rthooks_containers{state="released"} 1',
    'tetragon_policyfilter_map_entries{policy_id="1"} 1',
  ])
    expect(figures.split("\n")).toContain(line);
  end(bundle);
  await running.exited;
  await agent.stop();
}, 60_000);
