// SPDX-License-Identifier: Apache-2.0
// Two releases of the chart on one node, and a node whose /opt is read-only.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { readLog } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Cluster, install, type Release, startCluster } from "./sim/cluster.ts";
import type { Kubelet } from "./sim/kubelet.ts";
import { renderChart } from "./sim/rendered-chart.ts";

const workspace = createWorkspace("nrel");
let cluster: Cluster;
let kubelet: Kubelet;
let first: Release;

const second = (values: object) => ({
  name: "second",
  namespace: "second",
  // Of the same agent, since two would need maps of their own.
  values: { rthooks: { enabled: true, interface: "nri-hook", exportLogs: { enabled: false }, ...values } },
  components: ["rthooks"] as const,
});

beforeAll(async () => {
  cluster = await startCluster(workspace, containerdReleases.slice(-1));
  const [only] = cluster.kubelets;
  if (only === undefined) throw new Error("no node");
  kubelet = only;
  first = await install(cluster, { values: { rthooks: { enabled: true, interface: "nri-hook" } } });
}, 120_000);
afterAll(() => workspace.close(), 120_000);

/** Starts a container; gives the install directories whose hooks have acknowledged it. */
async function findHolders(...directories: readonly string[]): Promise<readonly string[]> {
  const pod = await runPod(kubelet.node.containerd);
  kubelet.report({ uid: pod.uid, name: pod.name, namespace: pod.namespace });
  const { id } = await pod.runContainer();
  await pod.remove();
  return directories.filter((directory) =>
    readLog(kubelet.node.toHostPath(`${directory}/tetragon-oci-hook.log`)).some(
      (record) => record["req-containerID"] === id && record["msg"] === "hook request to agent succeeded",
    ),
  );
}

/** The files of the first release, and when they were written. */
const listHook = () =>
  ["tetragon-oci-hook", ".tetragon-oci-hook.owner"].map((name) => {
    const { ino, mtimeMs, size } = statSync(kubelet.node.toHostPath(`/opt/tetragon/${name}`));
    return { name, ino, mtimeMs, size };
  });

/** The second release's pod of rthooks, until its log has the message. */
async function runRefused(message: string) {
  const chart = await renderChart(second({}));
  const pod = await kubelet.run("second-rthooks", {
    namespace: "second",
    template: chart.daemonSet("rthooks").spec.template,
    findConfigMap: chart.configMap,
  });
  await waitFor("the error", () => pod.log("tetragon-rthooks").includes(message), 30_000);
  return pod;
}

test("a second release with the directory of the first does not replace its hook, and says so", async () => {
  const before = listHook();
  const pod = await runRefused("has the hook of the DaemonSet");
  expect(pod.log("tetragon-rthooks")).toContain("kube-system/tetragon-rthooks: choose another directory");
  expect(await pod.findProblem()).not.toBe("");
  await pod.delete();
  expect(listHook()).toEqual(before);
  expect(await findHolders("/opt/tetragon")).toEqual(["/opt/tetragon"]);
}, 120_000);

test("with a directory of its own both hold, and the end of the one leaves the other", async () => {
  const release = await install(cluster, second({ installDir: "/opt/second", nriHook: { name: "second" } }));
  expect(await findHolders("/opt/tetragon", "/opt/second")).toEqual(["/opt/tetragon", "/opt/second"]);
  await release.uninstall();
  expect(kubelet.node.list().filter((path) => path.startsWith("/opt/second"))).toEqual(["/opt/second"]);
  expect(await findHolders("/opt/tetragon")).toEqual(["/opt/tetragon"]);
}, 120_000);

test("on a read-only /opt the pod's error names the directory, and another rthooks.installDir works", async () => {
  await first.uninstall();
  await kubelet.node.makeReadOnly("/opt");
  const missing = install(cluster, second({ installDir: "/opt/third" }));
  await expect(missing).rejects.toThrow(
    /volume "oci-hook-install-path": .*\/opt\/third.*Read-only file system/,
  );

  // The directory is there: the tool itself meets the read-only file system.
  const pod = await runRefused("is on a read-only file system");
  expect(pod.log("tetragon-rthooks")).toContain("rthooks.installDir");
  await pod.delete();

  const values = { rthooks: { enabled: true, interface: "nri-hook", installDir: "/run/rthooks" } };
  const release = await install(cluster, { values });
  expect(await findHolders("/run/rthooks")).toEqual(["/run/rthooks"]);
  await release.uninstall();
}, 120_000);
