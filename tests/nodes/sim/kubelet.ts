// SPDX-License-Identifier: Apache-2.0
// Runs pods of a rendered template on a node as the kubelet does: volumes, environment, security context, probes, and the end
// within the pod's grace period. What the simulation does not have is an error.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerConfig, CriClient, PodSandboxConfig } from "../../harness/cri-client.ts";
import { checkHealth } from "../../harness/health-client.ts";
import type { KubeApi } from "../../harness/kube-api.ts";
import { waitFor } from "../../harness/wait.ts";
import type { Node } from "./node.ts";
import { programImage, programMounts } from "./program-image.ts";
import type { PodContainerSpec, PodTemplate, Probe } from "./rendered-chart.ts";
import { createVolumes } from "./volumes.ts";

export interface KubeletPod {
  readonly name: string;
  readonly uid: string;
  /** Why it is not ready, as its readiness probes say; without one a container is ready while it runs. */
  findProblem(): Promise<string>;
  /** Ends it as its DaemonSet or a user does. */
  delete(): Promise<void>;
  /** Kills its containers, as the kernel does when memory is short. */
  kill(): Promise<void>;
  /** What the container wrote. */
  log(container: string): string;
  /** Why it cannot be started; empty if it can. */
  exec(
    container: string,
    ...command: readonly string[]
  ): Promise<{ readonly stdout: string; readonly exitCode: number }>;
}

interface PodOptions {
  readonly namespace: string;
  readonly template: PodTemplate;
  findConfigMap(name: string): Readonly<Record<string, string>>;
}

export interface Kubelet {
  readonly node: Node;
  /** The error is that of the event FailedMount, or of the runtime. */
  run(owner: string, options: PodOptions): Promise<KubeletPod>;
  /** A pod as the API server has it, for pods that a test makes itself. */
  report(pod: { readonly uid: string; readonly name: string; readonly namespace: string }): void;
  pods(): readonly KubeletPod[];
}

const propagations = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const;
const [POD, CONTAINER, NODE] = [0, 1, 2];

let count = 0;

export function startKubelet(node: Node, api: KubeApi): Kubelet {
  const { cri, dir, cgroupParent } = node.containerd;
  const running = new Set<KubeletPod>();
  const port = new URL(api.url).port;
  const report: Kubelet["report"] = (pod) => api.put({ ...pod, nodeName: node.name });

  const run: Kubelet["run"] = async (owner, { namespace, template, findConfigMap }) => {
    const { spec, metadata } = template;
    const uid = crypto.randomUUID();
    const name = `${owner}-${(++count).toString(36).padStart(5, "0")}`;
    const labels = {
      ...metadata.labels,
      "io.kubernetes.pod.name": name,
      "io.kubernetes.pod.namespace": namespace,
      "io.kubernetes.pod.uid": uid,
    };
    const volumes = await createVolumes({
      node,
      api,
      directory: join(dir, "pods", uid),
      volumes: spec.volumes,
      findConfigMap,
    });
    const isPrivileged = spec.containers.some(({ securityContext }) => securityContext?.privileged === true);
    const namespaceOptions = {
      network: spec.hostNetwork ? NODE : POD,
      pid: spec.hostPID ? NODE : CONTAINER,
    } as const;
    const logDirectory = join(dir, "logs", uid);
    const sandbox: PodSandboxConfig = {
      metadata: { name, uid, namespace },
      logDirectory,
      labels,
      annotations: metadata.annotations,
      linux: {
        cgroupParent: `/${cgroupParent}`,
        securityContext: {
          namespaceOptions: { network: namespaceOptions.network ?? POD, pid: namespaceOptions.pid ?? POD },
          privileged: isPrivileged,
        },
      },
    };
    report({ uid, name, namespace });
    const sandboxId = await cri.runPodSandbox(sandbox);
    const address = spec.hostNetwork ? node.address : await cri.sandboxAddress(sandboxId);

    const toEnv = (one: PodContainerSpec["env"][number]) => {
      const path = one.valueFrom?.fieldRef.fieldPath;
      const fields: Readonly<Record<string, string>> = {
        "spec.nodeName": node.name,
        "metadata.name": name,
        "metadata.namespace": namespace,
        "status.podIP": address,
        "status.hostIP": node.address,
      };
      const value = path === undefined ? (one.value ?? "") : fields[path];
      if (value === undefined) throw new Error(`the field ${path} is not simulated`);
      return { key: one.name, value };
    };
    /** $(NAME) in commands and arguments is replaced by the container's variable. */
    const expand = (text: string, env: readonly { readonly key: string; readonly value: string }[]): string =>
      text.replaceAll(
        /\$\(([A-Za-z_]\w*)\)/g,
        (whole, key) => env.find((one) => one.key === key)?.value ?? whole,
      );

    const create = async (container: PodContainerSpec, attempt: number): Promise<string> => {
      const { securityContext } = container;
      const env = [
        { key: "KUBERNETES_SERVICE_HOST", value: node.hostAddress },
        { key: "KUBERNETES_SERVICE_PORT", value: port },
        ...container.env.map(toEnv),
      ];
      const config: ContainerConfig = {
        metadata: { name: container.name, attempt },
        image: { image: programImage },
        command: container.command.map((word) => expand(word, env)),
        args: container.args.map((word) => expand(word, env)),
        envs: env,
        mounts: [
          ...programMounts.map((mount) => ({ ...mount, readonly: true })),
          ...volumes.serviceAccount,
          ...container.volumeMounts.map((mount) => ({
            containerPath: mount.mountPath,
            hostPath: volumes.find(mount.name, mount.subPath),
            readonly: mount.readOnly,
            propagation: propagations[mount.mountPropagation],
          })),
        ],
        labels: { ...labels, "io.kubernetes.container.name": container.name },
        annotations: {},
        logPath: `${container.name}-${attempt}.log`,
        linux: {
          securityContext: {
            namespaceOptions: sandbox.linux.securityContext.namespaceOptions,
            privileged: securityContext?.privileged ?? false,
            capabilities: {
              addCapabilities: securityContext?.capabilities?.add ?? [],
              dropCapabilities: securityContext?.capabilities?.drop ?? [],
            },
            ...(securityContext?.runAsUser === undefined
              ? {}
              : { runAsUser: { value: securityContext.runAsUser } }),
            readonlyRootfs: securityContext?.readOnlyRootFilesystem ?? false,
            noNewPrivs: securityContext?.allowPrivilegeEscalation === false,
          },
        },
      };
      const id = await cri.createContainer(sandboxId, config, sandbox);
      await cri.startContainer(id);
      return id;
    };
    const containers: { readonly spec: PodContainerSpec; id: string; attempt: number }[] = [];
    let isEnding = false;
    for (const spec of template.spec.containers)
      containers.push({ spec, id: await create(spec, 0), attempt: 0 });

    const isProbed = async (id: string, { exec, grpc }: Probe): Promise<boolean> => {
      if (exec !== undefined) return (await cri.execSync(id, exec.command)).exitCode === 0;
      if (grpc !== undefined)
        return (await checkHealth(`${address}:${grpc.port}`, grpc.service)) === "SERVING";
      throw new Error("this kind of probe is not simulated");
    };
    const isRunning = async (id: string) => (await cri.containerStatus(id)).state === "CONTAINER_RUNNING";
    const find = (container: string) => {
      const found = containers.find(({ spec }) => spec.name === container);
      if (found === undefined) throw new Error(`${name} has no container ${container}`);
      return found;
    };
    /** restartPolicy: Always, without its back-off. */
    const restartEnded = async (): Promise<void> => {
      for (const one of containers) {
        if (isEnding || (await isRunning(one.id))) continue;
        one.attempt++;
        one.id = await create(one.spec, one.attempt);
      }
    };
    const pod: KubeletPod = {
      name,
      uid,
      async findProblem() {
        try {
          await restartEnded();
          for (const { id, spec } of containers) {
            if (!(await isRunning(id))) return `${spec.name} has ended`;
            if (spec.readinessProbe !== undefined && !(await isProbed(id, spec.readinessProbe))) {
              return `${spec.name} is not ready`;
            }
          }
          return "";
        } catch (error) {
          return String(error);
        }
      },
      async delete() {
        isEnding = true;
        await Promise.all(
          containers.map(async ({ id, spec }) => {
            const preStop = spec.lifecycle?.preStop?.exec.command;
            if (preStop !== undefined) await cri.execSync(id, preStop);
            await stopContainer(cri, id, template.spec.terminationGracePeriodSeconds);
          }),
        );
        await cri.stopPodSandbox(sandboxId);
        await cri.removePodSandbox(sandboxId);
        running.delete(pod);
        api.delete(uid);
      },
      async kill() {
        isEnding = true;
        await Promise.all(containers.map(({ id }) => stopContainer(cri, id, 0)));
        await cri.stopPodSandbox(sandboxId);
        await cri.removePodSandbox(sandboxId);
        running.delete(pod);
        api.delete(uid);
      },
      log(container) {
        const { attempt } = find(container);
        let text = "";
        for (let at = 0; at <= attempt; at++) {
          const path = join(logDirectory, `${container}-${at}.log`);
          // A container that could not be started has none.
          if (existsSync(path)) text += readFileSync(path, "utf8");
        }
        return text.replaceAll(/^\S+ (stdout|stderr) [FP] /gm, "");
      },
      exec: (container, ...command) => cri.execSync(find(container).id, command),
    };
    running.add(pod);
    return pod;
  };
  return { node, run, report, pods: () => [...running] };
}

/**
 * Tries again, as the kubelet does: containerd fails the call if the container ends by itself meanwhile ("ttrpc: closed").
 */
const stopContainer = (cri: CriClient, id: string, graceSeconds: number): Promise<boolean> =>
  waitFor(
    `the end of container ${id}`,
    () =>
      cri.stopContainer(id, graceSeconds).then(
        () => true,
        () => false,
      ),
    60_000,
  );
