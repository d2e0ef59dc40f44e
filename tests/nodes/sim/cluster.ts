// SPDX-License-Identifier: Apache-2.0
// Nodes, an API server, and releases of the chart on them.
import { join } from "node:path";
import type { ContainerdRelease } from "../../harness/containerd-release.ts";
import { type KubeApi, startKubeApi } from "../../harness/kube-api.ts";
import type { Workspace } from "../../harness/workspace.ts";
import { createDaemonSet, type DaemonSetPod } from "./daemon-set.ts";
import { type Kubelet, startKubelet } from "./kubelet.ts";
import { startNode } from "./node.ts";
import { type RenderedChart, renderChart } from "./rendered-chart.ts";

export interface Cluster {
  readonly api: KubeApi;
  readonly kubelets: readonly Kubelet[];
}

export async function startCluster(
  workspace: Workspace,
  releases: readonly ContainerdRelease[],
): Promise<Cluster> {
  const nodes = [];
  for (const release of releases) nodes.push(await startNode(workspace, release));
  const api = startKubeApi(
    workspace,
    false,
    nodes.map(({ hostAddress }) => hostAddress),
  );
  for (const { name } of nodes) api.putNode(name, { "kubernetes.io/hostname": name });
  for (const kind of ["tracingpolicies", "tracingpoliciesnamespaced"]) api.serveKind(kind);
  return { api, kubelets: nodes.map((node) => startKubelet(node, api)) };
}

type Component = "tetragon" | "rthooks";

/** A release of the chart on all nodes. */
export interface Release {
  readonly chart: RenderedChart;
  /** In the order of the nodes. */
  readonly agents: readonly DaemonSetPod[];
  readonly rthooks: readonly DaemonSetPod[];
  /** On all nodes at once. */
  rollOut(component: Component): Promise<void>;
  /** `helm uninstall`: the DaemonSets are deleted, and with them the rights of their pods; then the pods. */
  uninstall(): Promise<void>;
}

interface ReleaseOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Without the agent, where another release has it. */
  readonly components?: readonly Component[];
}

export async function install(cluster: Cluster, options: ReleaseOptions): Promise<Release> {
  const { components = ["tetragon", "rthooks"] } = options;
  const { api, kubelets } = cluster;
  const chart = await renderChart(options);
  const collection = `/apis/apps/v1/namespaces/${chart.namespace}/daemonsets`;
  for (const component of components) api.putAt(collection, chart.object(component));
  const create = async (component: Component): Promise<readonly DaemonSetPod[]> =>
    components.includes(component)
      ? Promise.all(kubelets.map((kubelet) => createDaemonSet(kubelet, chart, component)))
      : [];
  // The scheduler gives no order; a pod that needs the agent waits for it.
  const [agents, rthooks] = await Promise.all([create("tetragon"), create("rthooks")]);
  return {
    chart,
    agents,
    rthooks,
    async rollOut(component) {
      await Promise.all((component === "tetragon" ? agents : rthooks).map((set) => set.rollOut()));
    },
    async uninstall() {
      for (const component of components)
        api.delete(join(collection, chart.daemonSet(component).metadata.name));
      // The service account goes with the release.
      api.failsWith = 401;
      await Promise.all([...rthooks, ...agents].map((set) => set.delete()));
      api.failsWith = undefined;
    },
  };
}
