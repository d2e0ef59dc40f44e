// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface BenchContainer {
  readonly name: string;
  readonly namespace: string;
  readonly cgroupsPath: string;
  /** A process in that cgroup, as the container's is when the hook runs. */
  readonly pid: number;
}

/** A bundle like containerd's, with 40 annotations and 12 mounts; the path of its OCI state, the hook's input. */
export function writeContainer(dir: string, { name, namespace, cgroupsPath, pid }: BenchContainer): string {
  const bundle = join(dir, name);
  mkdirSync(bundle);
  const annotations = {
    ...Object.fromEntries(
      Array.from({ length: 33 }, (_, n) => [`example.org/annotation-${n}`, "value ".repeat(5)]),
    ),
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.container-name": "app",
    "io.kubernetes.cri.image-name": "registry.example.org/shop/web:1.2.3",
    "io.kubernetes.cri.sandbox-id": "f".repeat(64),
    "io.kubernetes.cri.sandbox-name": "web-0",
    "io.kubernetes.cri.sandbox-namespace": namespace,
    "io.kubernetes.cri.sandbox-uid": "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11",
  };
  const mounts = Array.from({ length: 12 }, (_, n) => ({
    destination: `/mnt/${n}`,
    type: "bind",
    source: `/var/lib/kubelet/pods/x/volumes/${n}`,
    options: ["rbind", "rprivate", "ro"],
  }));
  const spec = {
    ociVersion: "1.1.0",
    process: { args: ["/bin/app"], env: ["PATH=/bin"], cwd: "/" },
    root: { path: "rootfs" },
    hostname: "web-0",
    mounts,
    annotations,
    linux: { cgroupsPath, namespaces: [{ type: "pid" }, { type: "mount" }] },
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
  const statePath = join(dir, `${name}.state.json`);
  writeFileSync(
    statePath,
    JSON.stringify({
      ociVersion: "1.1.0",
      id: "e".repeat(64),
      status: "creating",
      pid,
      bundle,
      annotations,
    }),
  );
  return statePath;
}
