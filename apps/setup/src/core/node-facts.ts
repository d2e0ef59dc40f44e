// SPDX-License-Identifier: Apache-2.0
// What `detect -o json` prints. Scripts read it: fields are added, and none changes its meaning or goes without
// another `schema`. Null is "unknown" or "none", as the field says.

export interface NodeFacts {
  readonly schema: 1;
  readonly root: string;
  readonly runtimes: readonly RuntimeFacts[];
  /** Where the hook is to be installed. */
  readonly install_dir: InstallDirFacts;
  /** The install directory and those of hook configurations, where others than root may change what is in them. */
  readonly unsafe_paths: readonly UnsafePathFacts[];
  /** The hook in the install directory; null if none is there. */
  readonly hook: ProgramFacts | null;
  /** Hook configuration of ours, in hooks directories and base specs. */
  readonly hook_configs: readonly HookConfigFacts[];
  /** Running programs that add the hook by NRI. */
  readonly nri_plugins: readonly NriPluginFacts[];
  /** Where the hooks that were found call the agent, else where a hook would. */
  readonly agent: SocketFacts;
  readonly cgroups: "v1" | "hybrid" | "v2" | null;
}

type Interface = "oci-hooks" | "nri-hook" | "base-spec";

export type Distribution = "standard" | "k3s" | "rke2" | "k0s" | "kind" | "minikube" | "microk8s";

export interface RuntimeFacts {
  readonly kind: "containerd" | "cri-o" | "podman";
  readonly distribution: Distribution;
  /** Of the installed program; null if it could not be asked. */
  readonly version: string | null;
  /** Null for podman, which is no daemon. */
  readonly socket: SocketFacts | null;
  readonly config: ConfigFacts;
  /** containerd: its CRI plugin is off, so Kubernetes does not use it. */
  readonly cri_disabled: boolean;
  /** Null for podman, which has no NRI. */
  readonly nri: NriFacts | null;
  /** The way to the hook that fits this runtime. */
  readonly interface: Interface;
  /** CRI-O and podman. */
  readonly hooks_dirs: readonly string[];
  /** Those of them in which nothing can be written from here. */
  readonly read_only_hooks_dirs: readonly string[];
  /** Files in them for which a file of the same name in a later directory is read. */
  readonly overridden: readonly OverriddenFacts[];
  /** containerd: the runtimes that run containers with runc. */
  readonly runc_runtimes: readonly RuncRuntimeFacts[];
  /** containerd: handlers of other runtimes, which need not run OCI hooks. */
  readonly other_runtimes: readonly OtherRuntimeFacts[];
}

export interface SocketFacts {
  readonly path: string;
  /** "refused": there is one, and nobody listens; "unknown": it is no unix socket, or could not be tried. */
  readonly state: "absent" | "refused" | "open" | "unknown";
}

interface ConfigFacts {
  /** What the runtime reads first. */
  readonly path: string;
  readonly exists: boolean;
  /** What an operator edits, where the distribution writes `path` itself. */
  readonly edit_path: string;
  /** containerd's `version` key; null if the file has none. */
  readonly version: number | null;
  /** All that was read, `path` first. */
  readonly files: readonly string[];
  /** Lines for people: what could not be read, and what of it is lost. */
  readonly problems: readonly string[];
}

export interface NriFacts {
  /** Null: the configuration says nothing, and the version, hence its default, is unknown. */
  readonly enabled: boolean | null;
  /** Whether plugins may connect to the socket. */
  readonly connections: boolean;
  /** False before containerd 1.7 and CRI-O 1.26; null for an unknown version. */
  readonly available: boolean | null;
  readonly decided_by: "config" | "default" | "disabled_plugins";
  /** The configuration files that decide; none for the version's default. */
  readonly decided_in: readonly string[];
  /** Its default validator refuses each container to which a plugin adds an OCI hook (containerd 2.2 and later). */
  readonly rejects_hooks: boolean;
  readonly socket: SocketFacts;
}

export interface NriPluginFacts {
  readonly pid: number;
  /** The first words of its command line. */
  readonly command: string;
  /** Where it connects to; null if the runtime has launched it. */
  readonly socket: string | null;
  /** The hook that it adds to containers; null in direct mode, or if the runtime has launched it. */
  readonly hook: string | null;
  /** Null if the runtime has launched it. */
  readonly mode: "inject" | "direct" | "auto" | null;
  /** Where it serves metrics; null if nowhere. */
  readonly metrics_address: string | null;
  /** The runtime has configured it and does not send it its containers; null where its metrics could not be read. */
  readonly unsynchronized: boolean | null;
}

interface RuncRuntimeFacts {
  readonly name: string;
  /** base_runtime_spec; null if it has none. */
  readonly base_spec: string | null;
  /** The file that decides on it; null for containerd's built-in runtime. */
  readonly file: string | null;
}

interface OtherRuntimeFacts {
  readonly name: string;
  /** "io.containerd.kata.v2" */
  readonly type: string;
}

export interface InstallDirFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly read_only: boolean;
  readonly noexec: boolean;
}

export interface OverriddenFacts {
  readonly path: string;
  readonly by: string;
}

interface UnsafePathFacts {
  readonly path: string;
  /** The path itself, or a directory or link on the way to it. */
  readonly step: string;
  /** "belongs to user 1000" */
  readonly problem: string;
}

export interface ProgramFacts {
  readonly path: string;
  /** Null if it does not run, or could not be tried. */
  readonly version: string | null;
  /** Null: it could not be tried. */
  readonly runs: boolean | null;
}

export interface HookConfigFacts {
  readonly path: string;
  readonly kind: "hooks-dir" | "base-spec";
  /** The hook that it calls, and the loader before it if there is one. */
  readonly calls: string;
  /** Programs that it needs and that are not there. */
  readonly missing: readonly string[];
  /** The agent's address, as it is given to the hook. */
  readonly agent_address: string;
}
