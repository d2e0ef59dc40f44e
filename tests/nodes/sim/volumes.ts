// SPDX-License-Identifier: Apache-2.0
// The volumes of a pod, as paths of the node.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeApi } from "../../harness/kube-api.ts";
import type { Node } from "./node.ts";
import type { Volume } from "./rendered-chart.ts";

interface VolumeOptions {
  readonly node: Node;
  readonly api: KubeApi;
  /** The kubelet's own, of this pod. */
  readonly directory: string;
  readonly volumes: readonly Volume[];
  findConfigMap(name: string): Readonly<Record<string, string>>;
}

interface Volumes {
  find(name: string, subPath: string): string;
  readonly serviceAccount: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly readonly: true;
  }[];
}

export async function createVolumes(options: VolumeOptions): Promise<Volumes> {
  const { directory, api } = options;
  const account = join(directory, "token");
  mkdirSync(account, { recursive: true });
  writeFileSync(join(account, "token"), api.token);
  writeFileSync(join(account, "ca.crt"), api.certs.ca);
  const paths = new Map<string, string>();
  for (const volume of options.volumes) paths.set(volume.name, await toPath(options, volume));
  return {
    find(name, subPath) {
      const path = paths.get(name);
      if (path === undefined) throw new Error(`the pod has no volume ${name}`);
      return subPath === "" ? path : join(path, subPath);
    },
    serviceAccount: [
      { containerPath: "/var/run/secrets/kubernetes.io/serviceaccount", hostPath: account, readonly: true },
    ],
  };
}

async function toPath({ node, directory, findConfigMap }: VolumeOptions, volume: Volume): Promise<string> {
  const { name, hostPath, configMap } = volume;
  if (hostPath !== undefined) {
    const { path, type } = hostPath;
    const command =
      type === "DirectoryOrCreate" ? ["mkdir", "--parents", path] : ["test", tests[type] ?? "-e", path];
    const { exitCode, stderr } = await node.run("/usr/bin/env", ...command);
    if (exitCode !== 0) {
      throw new Error(
        `MountVolume.SetUp failed for volume ${JSON.stringify(name)}: ${stderr || `hostPath type check failed: ${path} is not a ${type}`}`,
      );
    }
    return path;
  }
  const path = join(directory, name);
  mkdirSync(path, { recursive: true });
  if (configMap !== undefined) {
    for (const [key, text] of Object.entries(findConfigMap(configMap.name)))
      writeFileSync(join(path, key), text);
  }
  return path;
}

const tests: Readonly<Record<string, string>> = { Directory: "-d", File: "-f", Socket: "-S" };
