// SPDX-License-Identifier: Apache-2.0
// The chart on a node whose runtime reads a hooks directory. podman stands for CRI-O, which is not to be had here and has the
// same code for it (containers/common pkg/hooks); the chart's own pods run on containerd.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { containerdReleases } from "../harness/containerd-release.ts";
import { createPodman, type Podman } from "../harness/podman.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Cluster, install, type Release, startCluster } from "./sim/cluster.ts";
import type { Node } from "./sim/node.ts";
import {
  ALLOWED,
  findWindowMs,
  judge,
  type LoopStart,
  OTHER,
  startLoop,
  type Verdict,
} from "./sim/start-loop.ts";
import { createPodmanStarter } from "./sim/starters.ts";

const workspace = createWorkspace("noci");
const HOOK = "/opt/tetragon/tetragon-oci-hook";
const HOOKS_DIR = "/usr/share/containers/oci/hooks.d";
// A hook gives up soon, so that a reboot does not take minutes.
const values = {
  rthooks: { enabled: true, interface: "oci-hooks", extraHookArgs: { "grpc-timeout": "5s" } },
};

let cluster: Cluster;
let node: Node;
let podman: Podman;
let release: Release;
let before: readonly string[];

beforeAll(async () => {
  cluster = await startCluster(workspace, containerdReleases.slice(-1));
  const [kubelet] = cluster.kubelets;
  if (kubelet === undefined) throw new Error("no node");
  node = kubelet.node;
  before = list();
  podman = await createPodman(workspace, { enter: node.enter, hooksDir: HOOKS_DIR });
}, 120_000);
afterAll(() => workspace.close(), 120_000);

/** Without what podman makes, and the directories of the host that a file was written to. */
const isOfPodman = (path: string): boolean =>
  /^\/(run\/lock|etc\/cni)(\/|$)|^\/usr\/share\/containers(\/oci(\/hooks\.d)?)?$/.test(path);
const list = () => node.list().filter((path) => !isOfPodman(path));
const isInstalled = async (): Promise<boolean> =>
  (await node.run("/usr/bin/test", "-x", HOOK)).exitCode === 0 &&
  (await node.run("/usr/bin/test", "-f", `${HOOKS_DIR}/tetragon-oci-hook.json`)).exitCode === 0;

async function judgeDuring(what: string, work: () => Promise<void>): Promise<Verdict> {
  const [kubelet] = cluster.kubelets;
  if (kubelet === undefined) throw new Error("no node");
  const loop = startLoop({ [node.name]: createPodmanStarter(kubelet, podman, workspace.path("out")) });
  const waitForMore = async () => {
    const until = loop.starts().length + 4;
    await waitFor("more starts", () => loop.starts().length >= until, 60_000);
  };
  await waitForMore();
  await work();
  await waitForMore();
  const verdict = judge(await loop.stop(), [node.toHostPath(`${HOOK}.log`)]);
  const { starts, unheld, failed } = verdict;
  console.log(
    `oci-hooks, ${what}: ${starts.length} started, ${unheld.length} unheld ` +
      `(${findWindowMs(unheld, node.name)} ms), ${failed.length} failed`,
  );
  return verdict;
}

const expectHeld = ({ unheld, failed }: Verdict): void =>
  expect({ unheld, failed }).toEqual({ unheld: [], failed: [] });
const isOther = ({ namespace }: LoopStart): boolean => namespace === OTHER;

test("a node without the hooks directory is an error of the pod, which names the directory", async () => {
  const elsewhere = { rthooks: { ...values.rthooks, ociHooks: { hooksPath: "/mnt/hooks.d" } } };
  const installed = install(cluster, { values: elsewhere, components: ["rthooks"] });
  await expect(installed).rejects.toThrow("/mnt/hooks.d is not a Directory");
});

test("containers start held once the pod is ready", async () => {
  await node.run("/bin/mkdir", "--parents", HOOKS_DIR);
  release = await install(cluster, { values });
  expect(await isInstalled()).toBe(true);
  expectHeld(await judgeDuring("installed", async () => {}));
}, 120_000);

test.each([
  ["a rolling update of rthooks", () => release.rollOut("rthooks")],
  ["its pod is deleted before the next one", async () => void (await release.rthooks[0]?.recreate())],
  ["its pod is killed before the next one", async () => void (await release.rthooks[0]?.killAndRecreate())],
])(
  "%s: no container is unheld, none fails",
  async (what, work) => {
    expectHeld(await judgeDuring(what, work));
  },
  120_000,
);

test("a rolling update of the agent: no container is unheld that is not allowed, and no allowed one fails", async () => {
  const { unheld, failed } = await judgeDuring("a rolling update of the agent", () =>
    release.rollOut("tetragon"),
  );
  expect(unheld.filter(isOther)).toEqual([]);
  expect(failed.filter(({ namespace }) => namespace === ALLOWED)).toEqual([]);
}, 120_000);

test("after a reboot, before the pods run: allowed containers start, others wait and are denied; then all is well", async () => {
  const [agent, rthooks] = [release.agents[0], release.rthooks[0]];
  if (agent === undefined || rthooks === undefined) throw new Error("not installed");
  await Promise.all([agent.pod().kill(), rthooks.pod().kill()]);
  expect(await isInstalled()).toBe(true);
  const down = await judgeDuring("rebooted", async () => {});
  expect(down.failed.length).toBeGreaterThan(0);
  expect(down.failed.every(isOther)).toBe(true);
  expect(down.unheld.some(isOther)).toBe(false);
  expect(down.failed[0]?.failure).toContain("connecting to agent");
  await Promise.all([agent.create(), rthooks.create()]);
  expectHeld(await judgeDuring("pods run again", async () => {}));
}, 180_000);

test("uninstalled, it leaves nothing but the export file and empty directories, and containers start", async () => {
  const { failed } = await judgeDuring("uninstalled", () => release.uninstall());
  // Those for which the agent, which ends at the same time, did not answer.
  expect(failed.every(isOther)).toBe(true);
  expect(list().filter((path) => !before.includes(path))).toEqual([
    "/opt/tetragon",
    "/run/tetragon",
    "/var/log/tetragon",
    "/var/log/tetragon/tetragon.log",
  ]);
}, 120_000);
