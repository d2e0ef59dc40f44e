// SPDX-License-Identifier: Apache-2.0
// The built agent and what is pinned where its maps are: another program's policies, things in the way, pins that go.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { dumpCgroupPolicies, dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { runProcess } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("pins");
const parent = `/rthooks-pins-${workspace.tag}`;
const own = crypto.randomUUID().slice(0, 8);
let bpfFs: string;

beforeAll(() => {
  bpfFs = mountBpfFs(workspace);
  workspace.onClose(() => removeCgroup(parent));
});
afterAll(() => workspace.close(), 60_000);

const start = (directory: string, ...flags: readonly string[]): Promise<Agent> =>
  startAgent(workspace, {
    flags: [
      ...["--enable-policy-filter", "--bpf-dir", directory, "--sweep-interval", "100ms"],
      ...["--tracing-policy-dir", workspace.path("none"), ...flags],
    ],
  });

const health = async (agent: Agent): Promise<string> =>
  JSON.parse((await agent.status("--output", "json")).stdout).health;

let count = 0;
/** Lets a container of the namespace start; gives its cgroup's id. */
async function hold(agent: Agent): Promise<bigint> {
  const uid = `${own}-0000-4000-8000-${String(++count).padStart(12, "0")}`;
  const id = own + "c".repeat(55) + (count % 10);
  const cgroupsPath = `${parent}/kubepods/pod${uid}/${id}`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  const pod = { podName: `p${count}`, podUID: uid, podNamespace: "shop" };
  await callRuntimeHook(agent.address, { cgroupsPath, containerID: id, ...pod });
  return readCgroupId(cgroupsPath);
}

const policy = JSON.stringify({
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicyNamespaced",
  metadata: { name: "shop", namespace: "shop" },
  spec: {},
});

const run = async (...argv: readonly [string, ...string[]]): Promise<void> => {
  const { exitCode, stderr } = await runProcess([findTool(argv[0]), ...argv.slice(1)]);
  if (exitCode !== 0) throw new Error(stderr);
};

describe("pins that are gone are made again, and the containers are in them", () => {
  test.each([
    {
      what: "removed",
      change: async (directory: string) => {
        for (const name of ["maps", "keys", "cgroup_maps"]) rmSync(join(directory, `policy_filter_${name}`));
      },
    },
    {
      what: "on a file system that is mounted again",
      change: async () => {
        await run("umount", "-l", bpfFs);
        await run("mount", "-t", "bpf", "bpf", bpfFs);
      },
    },
  ])(
    "$what",
    async ({ what, change }) => {
      const directory = join(bpfFs, what.slice(0, 7).trim());
      const agent = await start(directory, "--enable-policy-filter-cgroup-map");
      await callPolicies(agent.address).add(policy);
      const before = await hold(agent);
      await change(directory);
      await waitFor("the pins are there", async () => (await health(agent)).includes("have been made again"));
      const after = await hold(agent);
      expect(dumpPolicyFilter(directory)).toEqual(
        new Map([
          [1, new Set([before, after])],
          [2, new Set([before, after])],
        ]),
      );
      await waitFor("the other map is there too", () => {
        try {
          return dumpCgroupPolicies(directory).size === 2;
        } catch {
          return false;
        }
      });
      expect(agent.process.stderr()).toContain("the maps are pinned again");
      await agent.stop();
    },
    60_000,
  );
});

test("another program's policies are kept and told, and take no part in this agent's", async () => {
  const directory = join(bpfFs, "unnamed");
  const inner = join(bpfFs, "inner");
  mkdirSync(directory);
  const maps = join(directory, "policy_filter_maps");
  const create = (path: string, ...words: readonly string[]) =>
    run("bpftool", "map", "create", path, ...words);
  await create(inner, ..."type hash key 8 value 1 entries 32768 name policy_2_map".split(" "));
  await create(
    maps,
    ..."type hash_of_maps key 4 value 4 entries 128 name policy_filter_m inner_map pinned".split(" "),
    inner,
  );
  const unnamed = findCgroupDirectory(`${parent}/unnamed`);
  mkdirSync(unnamed, { recursive: true });
  const cgroupId = readCgroupId(`${parent}/unnamed`);
  const key = Array.from({ length: 8 }, (_, at) => String((cgroupId >> BigInt(8 * at)) & 0xffn));
  await run("bpftool", "map", "update", "pinned", inner, "key", ...key, "value", "0");
  await run("bpftool", ...`map update pinned ${maps} key 2 0 0 0 value pinned ${inner}`.split(" "));
  rmSync(inner);
  const agent = await start(directory);
  expect(await health(agent)).toContain("policy_filter_keys does not name (ids 2)");
  await callPolicies(agent.address).add(policy);
  const held = await hold(agent);
  expect(dumpPolicyFilter(directory)).toEqual(
    new Map([
      [1, new Set([held])],
      [2, new Set([cgroupId])],
      [3, new Set([held])],
    ]),
  );
  removeCgroup(`${parent}/unnamed`);
  await waitFor("it goes with its containers", () => !dumpPolicyFilter(directory).has(2));
  expect(await health(agent)).toBe("running");
  await agent.stop();
}, 60_000);

test("what is in the way is told at the start with what to do, and the agent works", async () => {
  const directory = join(bpfFs, "way");
  for (const name of ["policy_filter_maps", "policy_filter_cgroup_maps"])
    mkdirSync(join(directory, name), { recursive: true });
  const agent = await start(directory);
  const told = await health(agent);
  expect(told).toContain(`${directory}/policy_filter_maps was a directory: renamed to `);
  expect(told).toContain(`cannot remove ${directory}/policy_filter_cgroup_maps`);
  const held = await hold(agent);
  expect(dumpPolicyFilter(directory).get(1)).toEqual(new Set([held]));
  await agent.stop();
}, 60_000);
