// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { firstActScript } from "./bundle.ts";
import type { Containerd } from "./containerd.ts";
import { busyboxImage } from "./containerd-image.ts";
import type { ContainerConfig, PodSandboxConfig } from "./cri-client.ts";

export interface PodOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** By default containerd's usual one. */
  readonly runtimeHandler?: string;
  /** Ends with `.slice` for the form of systemd's driver, also where runc does not use it. */
  readonly cgroupParent?: string;
}

interface ContainerOptions {
  readonly name?: string;
  /** Shell text; by default it leaves its first act in /out and then sleeps for ever. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PodContainer {
  readonly id: string;
  readonly name: string;
  /** The host's side of the container's /out. */
  readonly outDir: string;
  /** As the runtime makes it, in every hierarchy. */
  readonly cgroupPath: string;
}

/** A pod as the kubelet makes it, on the host's network. */
export interface Pod {
  readonly sandboxId: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  createContainer(options?: ContainerOptions): Promise<PodContainer>;
  /** Creates and starts one. */
  runContainer(options?: ContainerOptions): Promise<PodContainer>;
  remove(): Promise<void>;
}

const hostNetwork = { namespaceOptions: { network: 2, pid: 1 } };
const keepRunning = `${firstActScript}; sleep 2147483647`;
let count = 0;

export async function runPod(containerd: Containerd, options: PodOptions = {}): Promise<Pod> {
  const { cri, dir } = containerd;
  const cgroupParent = options.cgroupParent ?? containerd.cgroupParent;
  const name = options.name ?? `web-${++count}`;
  const namespace = options.namespace ?? "shop";
  // The names of a pod must be new each time.
  const uid = crypto.randomUUID();
  const labels = options.labels ?? { app: "web" };
  const config: PodSandboxConfig = {
    metadata: { name, uid, namespace },
    logDirectory: join(dir, "logs", uid),
    labels: {
      ...labels,
      "io.kubernetes.pod.name": name,
      "io.kubernetes.pod.namespace": namespace,
      "io.kubernetes.pod.uid": uid,
    },
    annotations: options.annotations ?? {},
    linux: { cgroupParent: `/${cgroupParent}`, securityContext: hostNetwork },
  };
  const sandboxId = await cri.runPodSandbox(config, options.runtimeHandler);
  let containers = 0;
  const createContainer = async (container: ContainerOptions = {}): Promise<PodContainer> => {
    const containerName = container.name ?? `app-${++containers}`;
    const outDir = join(dir, "out", uid, containerName);
    mkdirSync(outDir, { recursive: true });
    const containerConfig: ContainerConfig = {
      metadata: { name: containerName },
      image: { image: busyboxImage },
      command: ["/bin/sh", "-c", container.script ?? keepRunning],
      envs: Object.entries(container.env ?? {}).map(([key, value]) => ({ key, value })),
      mounts: [{ containerPath: "/out", hostPath: outDir }],
      labels: {
        "io.kubernetes.container.name": containerName,
        "io.kubernetes.pod.name": name,
        "io.kubernetes.pod.namespace": namespace,
        "io.kubernetes.pod.uid": uid,
      },
      annotations: container.annotations ?? {},
      logPath: `${containerName}.log`,
      linux: { securityContext: hostNetwork },
    };
    const id = await cri.createContainer(sandboxId, containerConfig, config);
    return { id, name: containerName, outDir, cgroupPath: `/${cgroupParent}/${id}` };
  };
  return {
    sandboxId,
    uid,
    name,
    namespace,
    labels,
    createContainer,
    runContainer: async (container) => {
      const created = await createContainer(container);
      await cri.startContainer(created.id);
      return created;
    },
    remove: async () => {
      await cri.stopPodSandbox(sandboxId);
      await cri.removePodSandbox(sandboxId);
    },
  };
}
