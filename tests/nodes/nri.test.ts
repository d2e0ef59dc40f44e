// SPDX-License-Identifier: Apache-2.0
// The chart on two nodes with containerd (1.7 and 2.1) and the NRI plugin: its commands, volumes and probes as they are
// rendered, updates of its pods while containers start, and its end.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { containerdReleases } from "../harness/containerd-release.ts";
import { readLog } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Cluster, install, type Release, startCluster } from "./sim/cluster.ts";
import { ALLOWED, findWindowMs, judge, startLoop, type Verdict } from "./sim/start-loop.ts";
import { createCriStarter } from "./sim/starters.ts";

const HOOK_LOG = "/opt/tetragon/tetragon-oci-hook.log";

function testMode(mode: "inject" | "direct"): void {
  const workspace = createWorkspace("nnri");
  let cluster: Cluster;
  let release: Release;
  let before: readonly (readonly string[])[];
  const logPaths = () => cluster.kubelets.map(({ node }) => node.toHostPath(HOOK_LOG));

  beforeAll(async () => {
    cluster = await startCluster(workspace, containerdReleases);
    before = cluster.kubelets.map(({ node }) => node.list());
    release = await install(cluster, { values: { rthooks: { enabled: true, interface: "nri-hook", mode } } });
  }, 120_000);
  afterAll(() => workspace.close(), 120_000);

  /** Containers start on both nodes before, during and after `work`. */
  async function judgeDuring(work: () => Promise<void>): Promise<Verdict> {
    const starters = cluster.kubelets.map(
      (kubelet) => [kubelet.node.name, createCriStarter(kubelet)] as const,
    );
    const loop = startLoop(Object.fromEntries(starters));
    const waitForMore = async (count: number) => {
      const until = loop.starts().length + count;
      await waitFor("more starts", () => loop.starts().length >= until, 60_000);
    };
    await waitForMore(8);
    await work();
    await waitForMore(8);
    return judge(await loop.stop(), logPaths());
  }

  const expectHeld = ({ unheld, failed, twice }: Verdict): void =>
    expect({ unheld, failed, twice }).toEqual({ unheld: [], failed: [], twice: 0 });

  const tell = (what: string, { starts, unheld, failed, twice }: Verdict): void => {
    const windows = cluster.kubelets.map(({ node }) => `${node.name} ${findWindowMs(unheld, node.name)} ms`);
    for (const { failure, namespace } of failed) console.log(namespace, failure.slice(-600));
    console.log(
      `${mode}, ${what}: ${starts.length} started, ${unheld.length} unheld (${windows.join(", ")}), ` +
        `${failed.length} failed, ${twice} acknowledged twice`,
    );
  };

  test("containers start held, and both the log on the node and export-logs have the line that says so", async () => {
    const verdict = await judgeDuring(async () => {});
    expectHeld(verdict);
    for (const [at, { node }] of cluster.kubelets.entries()) {
      const { stdout } = await node.run("/usr/bin/tail", "-1", HOOK_LOG);
      expect(JSON.parse(stdout)).toMatchObject({
        level: "INFO",
        msg: "hook request to agent succeeded",
        hook: "create-container",
        "start-time": expect.any(String),
        "req-containerName": expect.stringMatching(/^app-/),
      });
      await waitFor("export-logs prints it", () =>
        release.rthooks[at]?.pod().log("export-logs").includes(stdout.trim()),
      );
    }
  }, 120_000);

  test("a rolling update of rthooks: no container is unheld, none fails", async () => {
    const verdict = await judgeDuring(() => release.rollOut("rthooks"));
    tell("rolling update of rthooks", verdict);
    // Both plugins run for a moment: a container that the old one has let be created is known to the agent, and held, twice.
    expectHeld({ ...verdict, twice: 0 });
  }, 180_000);

  test("a rolling update of the agent: no container is unheld, and none of an allowed namespace fails", async () => {
    const verdict = await judgeDuring(() => release.rollOut("tetragon"));
    tell("rolling update of the agent", verdict);
    expect(verdict.unheld.filter(({ namespace }) => namespace !== ALLOWED)).toEqual([]);
    expect(verdict.failed.filter(({ namespace }) => namespace === ALLOWED)).toEqual([]);
  }, 180_000);

  test("rthooks' pods are deleted, and killed, before the next ones: none fails, and the next ones hold again", async () => {
    for (const [what, recreate] of [
      ["pod deleted", "recreate"],
      ["pod killed", "killAndRecreate"],
    ] as const) {
      let readyAtMs = Number.POSITIVE_INFINITY;
      const verdict = await judgeDuring(async () => {
        await Promise.all(release.rthooks.map((set) => set[recreate]()));
        readyAtMs = Date.now();
      });
      tell(`${what} before the next one runs`, verdict);
      expect(verdict.failed).toEqual([]);
      expect(verdict.unheld.filter(({ beganAtMs }) => beganAtMs > readyAtMs)).toEqual([]);
      expect(verdict.starts.some(({ beganAtMs }) => beganAtMs > readyAtMs)).toBe(true);
    }
  }, 180_000);

  test("uninstalled, it leaves nothing but the export file and empty directories", async () => {
    const verdict = await judgeDuring(() => release.uninstall());
    // Those that the agent did not answer for, and that were not allowed without it.
    expect(verdict.failed.filter(({ namespace }) => namespace === ALLOWED)).toEqual([]);
    for (const [at, { node }] of cluster.kubelets.entries()) {
      expect(node.list().filter((path) => !before[at]?.includes(path))).toEqual([
        "/opt/tetragon",
        "/run/tetragon",
        "/var/log/tetragon",
        "/var/log/tetragon/tetragon.log",
      ]);
    }
    expect(readLog(logPaths()[0] ?? "")).toEqual([]);
  }, 120_000);
}

describe.each(["inject", "direct"] as const)("%s", testMode);
