// SPDX-License-Identifier: Apache-2.0
// Plays crictl for pages that a test runs: Debian has no package of it. The calls are those of the real one.
import { readFileSync } from "node:fs";
import { type ContainerConfig, openCriClient, type PodSandboxConfig } from "../../harness/cri-client.ts";

interface SandboxFile {
  readonly metadata: PodSandboxConfig["metadata"];
  readonly log_directory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly linux: { readonly cgroup_parent: string };
}

interface ContainerFile {
  readonly metadata: ContainerConfig["metadata"];
  readonly image: ContainerConfig["image"];
  readonly command: readonly string[];
  readonly log_path: string;
}

const hostNetwork = { namespaceOptions: { network: 2, pid: 1 } };
const readJson = <File>(path = ""): File => JSON.parse(readFileSync(path, "utf8")) as File;

const toSandbox = (file: SandboxFile): PodSandboxConfig => ({
  metadata: file.metadata,
  logDirectory: file.log_directory,
  // As the kubelet adds them.
  labels: {
    ...file.labels,
    "io.kubernetes.pod.name": file.metadata.name,
    "io.kubernetes.pod.namespace": file.metadata.namespace,
    "io.kubernetes.pod.uid": file.metadata.uid,
  },
  annotations: {},
  linux: { cgroupParent: file.linux.cgroup_parent, securityContext: hostNetwork },
});

const toContainer = (file: ContainerFile): ContainerConfig => ({
  metadata: file.metadata,
  image: file.image,
  command: file.command,
  envs: [],
  mounts: [],
  labels: { "io.kubernetes.container.name": file.metadata.name },
  annotations: {},
  logPath: file.log_path,
  linux: { securityContext: hostNetwork },
});

const cri = openCriClient("/run/containerd/containerd.sock");
const [verb, ...words] = process.argv.slice(2);

const verbs: Readonly<Record<string, () => Promise<void>>> = {
  /** run CONTAINER.json POD.json */
  run: async () => {
    const pod = toSandbox(readJson(words[1]));
    const sandbox = await cri.runPodSandbox(pod);
    const id = await cri.createContainer(sandbox, toContainer(readJson(words[0])), pod);
    await cri.startContainer(id);
    process.stdout.write(`${id}\n`);
  },
  /** rmp --all --force */
  rmp: async () => {
    for (const id of await cri.listPodSandboxes()) {
      await cri.stopPodSandbox(id);
      process.stdout.write(`Stopped sandbox ${id}\n`);
      await cri.removePodSandbox(id);
      process.stdout.write(`Removed sandbox ${id}\n`);
    }
  },
};

try {
  const perform = verbs[verb ?? ""];
  if (perform === undefined) throw new Error(`crictl ${verb} is not played`);
  await perform();
} catch (error) {
  // The form of cri-tools' own message.
  const details =
    error instanceof Error && "details" in error
      ? `rpc error: code = Unknown desc = ${error.details}`
      : `${error}`;
  process.stderr.write(`FATA[0000] running container: ${details}\n`);
  process.exitCode = 1;
}
cri.close();
