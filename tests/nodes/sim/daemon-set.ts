// SPDX-License-Identifier: Apache-2.0
// The controller of DaemonSets, on one node: creates the pod, and replaces it as the update strategy says (Kubernetes
// pkg/controller/daemon, rollingUpdate).
import { waitFor } from "../../harness/wait.ts";
import type { Kubelet, KubeletPod } from "./kubelet.ts";
import type { RenderedChart } from "./rendered-chart.ts";

export interface DaemonSetPod {
  pod(): KubeletPod;
  /** Creates the pod, after the last one has ended. */
  create(): Promise<void>;
  /** Replaces the pod as after a change of the template; `chart`: with the changes. */
  rollOut(chart?: RenderedChart): Promise<void>;
  /** Deletes the pod, and creates the next one when it is gone, as for `kubectl delete pod`. */
  recreate(): Promise<void>;
  /** As `recreate`, but the pod is killed. */
  killAndRecreate(): Promise<void>;
  /** The garbage collector deletes the pod. */
  delete(): Promise<void>;
}

const READY_MS = 90_000;

export async function createDaemonSet(
  kubelet: Kubelet,
  first: RenderedChart,
  component: "tetragon" | "rthooks",
): Promise<DaemonSetPod> {
  let chart = first;
  const create = async (): Promise<KubeletPod> => {
    const { metadata, spec } = chart.daemonSet(component);
    const pod = await kubelet.run(metadata.name, {
      namespace: chart.namespace,
      template: spec.template,
      findConfigMap: chart.configMap,
    });
    let problem = "";
    const isReady = async (): Promise<boolean> => {
      problem = await pod.findProblem();
      return problem === "";
    };
    await waitFor(`${pod.name} on ${kubelet.node.name} is ready`, isReady, READY_MS).catch(
      (error: unknown) => {
        const logs = spec.template.spec.containers.map(
          ({ name }) => `${name}: ${pod.log(name).slice(-3_000)}`,
        );
        throw new Error(`${String(error)}: ${problem}\n${logs.join("\n")}`);
      },
    );
    await Bun.sleep(spec.minReadySeconds * 1_000);
    return pod;
  };
  let pod = await create();
  const recreate = async (end: (old: KubeletPod) => Promise<void>): Promise<void> => {
    await end(pod);
    pod = await create();
  };
  return {
    pod: () => pod,
    create: async () => {
      pod = await create();
    },
    async rollOut(next = chart) {
      chart = next;
      const { maxSurge = 0 } = chart.daemonSet(component).spec.updateStrategy.rollingUpdate ?? {};
      // A percentage of the nodes is rounded up.
      if (Number.parseInt(String(maxSurge), 10) === 0) return recreate((old) => old.delete());
      const old = pod;
      pod = await create();
      await old.delete();
    },
    recreate: () => recreate((old) => old.delete()),
    killAndRecreate: () => recreate((old) => old.kill()),
    delete: () => pod.delete(),
  };
}
