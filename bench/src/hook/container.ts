// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface BenchContainer {
  /** A file with the OCI state, as a runtime writes it to the hook's standard input. */
  readonly statePath: string;
}

/** The v2 hierarchy of this host; the agent looks cgroups up there. */
export function findCgroupRoot(mounts: string): string {
  const line = mounts.split("\n").find((entry) => entry.split(" ")[2] === "cgroup2");
  const root = line?.split(" ")[1];
  if (root === undefined) throw new Error("no cgroup2 hierarchy is mounted");
  return root;
}

/** A bundle like containerd's, whose spec has 40 annotations and mounts. */
export function writeContainer(
  dir: string,
  name: string,
  namespace: string,
  cgroupsPath: string,
): BenchContainer {
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
      pid: 1,
      bundle,
      annotations,
    }),
  );
  return { statePath };
}

/** Runs the work with a cgroup of our own below the v2 root; removes it and the children that work made. */
export async function withCgroups<T>(
  root: string,
  names: readonly string[],
  work: (paths: readonly string[]) => Promise<T>,
): Promise<T> {
  const parent = `/rthooks-bench-${process.pid}`;
  const paths = names.map((name) => `${parent}/${name}`);
  mkdirSync(root + parent);
  try {
    for (const path of paths) mkdirSync(root + path);
    return await work(paths);
  } finally {
    for (const path of paths) rmdirSync(root + path);
    rmdirSync(root + parent);
  }
}
