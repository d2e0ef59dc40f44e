// SPDX-License-Identifier: Apache-2.0
// The paths of runtimes in each distribution, and how their configuration is changed there.

import type { NodeFiles } from "@rthooks/runtime-config";
import { DEFAULT_CRIO_CONFIG } from "./crio-config.ts";
import type { Distribution, RuntimeFacts } from "./node-facts.ts";
import { findRancherDir, findRancherEditPath } from "./plan-rancher.ts";

export interface RuntimePlace {
  readonly kind: RuntimeFacts["kind"];
  readonly distribution: Distribution;
  /** The main configuration file. */
  readonly config: string;
  /** Undefined for podman. */
  readonly socket: string | undefined;
  /** The first one that exists is run for its version. */
  readonly programs: readonly string[];
  /** The runtime is installed if one of these paths exists. */
  readonly signs: readonly string[];
}

const binDirs = ["/usr/local/bin", "/usr/bin", "/opt/bin", "/bin"] as const; // const: never changed
const inBinDirs = (name: string): readonly string[] => binDirs.map((directory) => `${directory}/${name}`);

const K3S = "/var/lib/rancher/k3s";
const RKE2 = "/var/lib/rancher/rke2";
const MICROK8S = "/var/snap/microk8s";

/** The runtimes that are installed on this node. */
export function findRuntimePlaces(files: NodeFiles): readonly RuntimePlace[] {
  const exists = (path: string): boolean => files.kind(path) !== undefined;
  return listRuntimePlaces(files).filter(({ signs }) => signs.some(exists));
}

/** All supported runtimes and distributions. */
export function listRuntimePlaces(files: NodeFiles): readonly RuntimePlace[] {
  const rancher = (
    distribution: "k3s" | "rke2",
    home: string,
    programs: readonly string[],
  ): RuntimePlace => ({
    kind: "containerd",
    distribution,
    config: `${home}/agent/etc/containerd/config.toml`,
    // RKE2 is built on k3s and uses the same socket.
    socket: "/run/k3s/containerd/containerd.sock",
    programs,
    signs: [`${home}/agent`],
  });
  const standard = { config: "/etc/containerd/config.toml", socket: "/run/containerd/containerd.sock" };
  const crio = { config: DEFAULT_CRIO_CONFIG, socket: "/var/run/crio/crio.sock" };
  const podman = "/etc/containers/containers.conf";
  return [
    rancher("k3s", K3S, [`${K3S}/data/current/bin/containerd`]),
    rancher("rke2", RKE2, [`${RKE2}/bin/containerd`]),
    {
      kind: "containerd",
      distribution: "k0s",
      config: "/etc/k0s/containerd.toml",
      socket: "/run/k0s/containerd.sock",
      programs: ["/var/lib/k0s/bin/containerd"],
      signs: ["/etc/k0s/containerd.toml", "/run/k0s/containerd.sock", "/var/lib/k0s/bin/containerd"],
    },
    {
      kind: "containerd",
      distribution: "microk8s",
      config: `${MICROK8S}/current/args/containerd.toml`,
      socket: `${MICROK8S}/common/run/containerd.sock`,
      programs: ["/snap/microk8s/current/bin/containerd"],
      signs: [`${MICROK8S}/current/args`],
    },
    {
      kind: "containerd",
      distribution: findDistribution(files),
      ...standard,
      programs: inBinDirs("containerd"),
      signs: [standard.config, standard.socket, ...inBinDirs("containerd")],
    },
    {
      kind: "cri-o",
      distribution: findDistribution(files),
      ...crio,
      programs: inBinDirs("crio"),
      signs: [crio.config, "/etc/crio/crio.conf.d", crio.socket, ...inBinDirs("crio")],
    },
    {
      kind: "podman",
      distribution: findDistribution(files),
      config: podman,
      socket: undefined,
      programs: inBinDirs("podman"),
      // The configuration belongs to a package that CRI-O also depends on.
      signs: inBinDirs("podman"),
    },
  ];
}

/** kind's node image has /kind, minikube's machine /var/lib/minikube; both use the standard paths. */
function findDistribution(files: NodeFiles): Distribution {
  if (files.kind("/kind") === "directory") return "kind";
  return files.kind("/var/lib/minikube") === "directory" ? "minikube" : "standard";
}

/** The file to edit; differs from the main file if the distribution generates that file. */
export function findEditPath(files: NodeFiles, { distribution, config }: RuntimePlace): string {
  if (distribution === "microk8s") return `${MICROK8S}/current/args/containerd-template.toml`;
  const rancher = findRancherDir(config);
  return rancher === undefined ? config : findRancherEditPath(files, rancher);
}

/** The command that restarts the runtime, so that it reads its configuration. */
export function findRestart(
  files: NodeFiles,
  { kind, distribution }: Pick<RuntimeFacts, "kind" | "distribution">,
): string {
  const unit = (one: string, other: string): string => {
    const paths = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];
    const isOther = paths.some((path) => files.kind(`${path}/${other}.service`) !== undefined);
    return `systemctl restart ${isOther ? other : one}`;
  };
  if (kind === "cri-o") return "systemctl restart crio";
  switch (distribution) {
    case "k3s":
      return unit("k3s", "k3s-agent");
    case "rke2":
      return files.kind(`${RKE2}/server`) === undefined
        ? "systemctl restart rke2-agent"
        : "systemctl restart rke2-server";
    case "k0s":
      return unit("k0scontroller", "k0sworker");
    case "microk8s":
      return "snap restart microk8s.daemon-containerd";
    default:
      return "systemctl restart containerd";
  }
}
