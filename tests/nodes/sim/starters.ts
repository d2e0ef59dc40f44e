// SPDX-License-Identifier: Apache-2.0
// Containers of a start loop: through containerd, as the kubelet starts them, and with podman, which reads hook files as CRI-O
// does.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { firstActScript } from "../../harness/bundle.ts";
import { runPod } from "../../harness/containerd-pod.ts";
import { findFirstAct } from "../../harness/first-act.ts";
import type { Podman } from "../../harness/podman.ts";
import { waitFor } from "../../harness/wait.ts";
import type { Kubelet } from "./kubelet.ts";
import type { CreateStarter } from "./start-loop.ts";

const ACT_MS = 30_000;

const waitForAct = async (outDir: string): Promise<number> => {
  const act = await waitFor("the container's first act", () => findFirstAct(outDir), ACT_MS);
  return Number(act.unixMicros / 1_000n);
};

export const createCriStarter =
  (kubelet: Kubelet): CreateStarter =>
  async (namespace) => {
    const { containerd } = kubelet.node;
    const pod = await runPod(containerd, { namespace, labels: { app: "web" } });
    kubelet.report({ uid: pod.uid, name: pod.name, namespace });
    return {
      async start() {
        const { id, outDir } = await pod.createContainer();
        const failure = await containerd.cri.startContainer(id).then(() => "", String);
        const actedAtMs = failure === "" ? await waitForAct(outDir) : undefined;
        await containerd.cri.removeContainer(id);
        return { id, failure, actedAtMs };
      },
      close: pod.remove,
    };
  };

let count = 0;

/** `directory`: of the host, for what the containers write. */
export const createPodmanStarter =
  (kubelet: Kubelet, podman: Podman, directory: string): CreateStarter =>
  async (namespace) => {
    const pod = { uid: crypto.randomUUID(), name: `web-${namespace}-${++count}`, namespace };
    kubelet.report(pod);
    return {
      async start() {
        const id = `c${++count}-${namespace}`;
        const outDir = join(directory, id);
        mkdirSync(outDir, { recursive: true });
        const annotations = {
          "io.kubernetes.pod.uid": pod.uid,
          "io.kubernetes.pod.namespace": namespace,
          "io.kubernetes.pod.name": pod.name,
          "io.kubernetes.container.name": id,
        };
        const done = await podman.start({ name: id, outDir, annotations, script: firstActScript }).exited;
        if (done.exitCode !== 0) return { id, failure: done.stderr || "failed", actedAtMs: undefined };
        return { id, failure: "", actedAtMs: await waitForAct(outDir) };
      },
      close: async () => {},
    };
  };
