// SPDX-License-Identifier: Apache-2.0
// Policies with many selectors come and go by calls, containers start meanwhile, and the built agent is killed again and
// again: every policy that is in force has every container that was let go.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("churn");
const parent = `/rthooks-churn-${workspace.tag}`;
const own = crypto.randomUUID().slice(0, 8);
const allPods = 1;
const policies = 4;
const selectors = 20;
const kills = 4;
const perLife = 25;
let control: AgentControl;
let maps: string;

beforeAll(() => {
  maps = join(mountBpfFs(workspace), "tetragon");
  workspace.onClose(() => removeCgroup(parent));
  control = createAgentControl(workspace, [
    ...["--enable-policy-filter", "--bpf-dir", maps, "--tracing-policy-dir", workspace.path("none")],
    ...["--persist-grpc-policies", "--persist-dir", workspace.path("kept"), "--log-level", "warn"],
  ]);
});
afterAll(() => workspace.close(), 60_000);

/** About every container, as is each of its selectors, which are others each time. */
const policy = (name: string): string =>
  JSON.stringify({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name },
    spec: {
      podSelector: {},
      kprobes: Array.from({ length: selectors / 5 }, () => ({
        call: "sys_acct",
        syscall: true,
        selectors: Array.from({ length: 5 }, () => ({
          matchWorkloads: {
            podSelector: {
              matchExpressions: [{ key: "x", operator: "NotIn", values: [crypto.randomUUID().slice(0, 8)] }],
            },
          },
        })),
      })),
    },
  });

interface Start {
  readonly cgroupsPath: string;
  readonly containerID: string;
  readonly podName: string;
  readonly podUID: string;
  readonly podNamespace: string;
}
const starts: Start[] = [];
/** Cgroups of the containers that the agent which runs knows. */
const released = new Set<bigint>();

function create(): Start {
  const count = starts.length;
  const podUID = `${own}-0000-4000-8000-${String(count).padStart(12, "0")}`;
  const containerID = own + `${count}`.padStart(56, "c");
  const cgroupsPath = `${parent}/kubepods/pod${podUID}/${containerID}`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  const start = { cgroupsPath, containerID, podName: `p${count}`, podUID, podNamespace: "shop" };
  starts.push(start);
  return start;
}

/** Asks until it is answered, as runtimes do. */
async function hold(start: Start): Promise<void> {
  const call = (): Promise<boolean> =>
    callRuntimeHook(`unix://${control.socketPath}`, start).then(
      () => true,
      () => false,
    );
  await waitFor("the hook is answered", call, 60_000);
  released.add(readCgroupId(start.cgroupsPath));
}

/** Policies of which the addition was answered and no deletion was asked for, with their ids. */
const inForce = new Map<string, number>();

function expectHeld(): void {
  const wanted = [...released];
  const before = [...inForce];
  const contents = dumpPolicyFilter(maps);
  // What is deleted meanwhile takes no containers any more, and is seen for some milliseconds yet.
  const still = before.filter(([name, policyId]) => inForce.get(name) === policyId);
  const lacking = [["all pods", allPods] as const, ...still].filter(([, policyId]) =>
    wanted.some((id) => contents.get(policyId)?.has(id) !== true),
  );
  expect(lacking).toEqual([]);
}

test("no container that was let go is missing from a policy that is in force", async () => {
  await control.start();
  let isDone = false;
  const calls = () => callPolicies(`unix://${control.socketPath}`);
  const churn = async (name: string): Promise<void> => {
    while (!isDone) {
      // Either may fail: the agent is killed, or it was done before that.
      inForce.delete(name);
      await calls()
        .delete(name)
        .catch(() => Bun.sleep(5));
      const { pid } = control.agent().process;
      try {
        await calls().add(policy(name));
        const { policies: listed } = await calls().list();
        const found = listed.find((one) => one.name === name && one.enabled);
        if (found !== undefined && pid === control.agent().process.pid)
          inForce.set(name, Number(found.filterId));
        await Bun.sleep(Math.random() * 100);
      } catch {
        await Bun.sleep(5);
      }
    }
  };
  const churning = Promise.all(Array.from({ length: policies }, (_, at) => churn(`p${at}`)));
  for (let life = 0; life < kills; life++) {
    for (let at = 0; at < perLife; at++) {
      await hold(create());
      if (at % 5 === 0) expectHeld();
    }
    await Bun.sleep(Math.random() * 50);
    control.agent().process.signal("SIGKILL");
    await control.agent().process.exited;
    expectHeld();
    released.clear();
    inForce.clear();
    await control.start();
    // No source of pods tells the next agent of them: it has them in the maps of before, and not in new ones.
    for (const start of starts) await hold(start);
    expectHeld();
  }
  isDone = true;
  await churning;
  for (let at = 0; at < policies; at++) {
    const name = `p${at}`;
    await calls()
      .add(policy(name))
      .catch(() => undefined);
  }
  const listed = (await calls().list()).policies;
  expect(listed.map(({ name, error, enabled }) => [name, error, enabled])).toEqual(
    expect.arrayContaining(Array.from({ length: policies }, (_, at) => [`p${at}`, "", true])),
  );
  const contents = dumpPolicyFilter(maps);
  expect(contents.size).toBe(1 + policies * (1 + selectors));
  for (const [policyId, members] of contents)
    expect({ policyId, members }).toEqual({ policyId, members: released });
}, 180_000);
