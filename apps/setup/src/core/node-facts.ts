// SPDX-License-Identifier: Apache-2.0
// The output of `detect -o json`, for scripts: new fields may be added; a field that is removed or changes its meaning
// changes `schema`. Null means "unknown" or "none", as the field documents.

export interface NodeFacts {
  readonly schema: 1;
  readonly root: string;
  readonly runtimes: readonly RuntimeFacts[];
  /** The directory that is examined for the hook. */
  readonly install_dir: InstallDirFacts;
  /** The install directory and directories of hook configurations that users other than root can change. */
  readonly unsafe_paths: readonly UnsafePathFacts[];
  /** The hook in the install directory; null if there is none. */
  readonly hook: ProgramFacts | null;
  /** Hook files and base specs that call the hook. */
  readonly hook_configs: readonly HookConfigFacts[];
  /** Running NRI plugins of this project. */
  readonly nri_plugins: readonly NriPluginFacts[];
  /** The agent's socket as configured for the first hook found, else the default. */
  readonly agent: SocketFacts;
  readonly cgroups: "v1" | "hybrid" | "v2" | null;
}

type Interface = "oci-hooks" | "nri-hook" | "base-spec";

export type Distribution = "standard" | "k3s" | "rke2" | "k0s" | "kind" | "minikube" | "microk8s";

export interface RuntimeFacts {
  readonly kind: "containerd" | "cri-o" | "podman";
  readonly distribution: Distribution;
  /** Of the installed program; null if it cannot be determined. */
  readonly version: string | null;
  /** Null for podman, which is not a daemon. */
  readonly socket: SocketFacts | null;
  readonly config: ConfigFacts;
  /** containerd: its CRI plugin is off, so Kubernetes does not use it. */
  readonly cri_disabled: boolean;
  /** Null for podman, which has no NRI. */
  readonly nri: NriFacts | null;
  /** The recommended way to call the hook from this runtime. */
  readonly interface: Interface;
  /** CRI-O and podman. */
  readonly hooks_dirs: readonly string[];
  /** The hooks directories that this program cannot write. */
  readonly read_only_hooks_dirs: readonly string[];
  /** Hook files that a file of the same name in a later hooks directory overrides. */
  readonly overridden: readonly OverriddenFacts[];
  /** containerd: the runtime handlers of runc. */
  readonly runc_runtimes: readonly RuncRuntimeFacts[];
  /** containerd: the other runtime handlers, which may ignore OCI hooks. */
  readonly other_runtimes: readonly OtherRuntimeFacts[];
}

export interface SocketFacts {
  readonly path: string;
  /** "refused": nothing listens on it; "unknown": not a unix socket, or connecting failed for another reason. */
  readonly state: "absent" | "refused" | "open" | "unknown";
}

interface ConfigFacts {
  /** The main configuration file. */
  readonly path: string;
  readonly exists: boolean;
  /** The file to edit; differs from `path` if the distribution generates that file. */
  readonly edit_path: string;
  /** containerd's `version` key; null if the file has none. */
  readonly version: number | null;
  /** All files that the runtime reads, `path` first. */
  readonly files: readonly string[];
  /** For people, one line each: files that cannot be read, and settings that have no effect. */
  readonly problems: readonly string[];
}

export interface NriFacts {
  /** Null: no configuration file sets it, and the version and its default are unknown. */
  readonly enabled: boolean | null;
  /** Whether plugins may connect to the socket. */
  readonly connections: boolean;
  /** False before containerd 1.7 and CRI-O 1.26; null for an unknown version. */
  readonly available: boolean | null;
  readonly decided_by: "config" | "default" | "disabled_plugins";
  /** The deciding files; empty for the version's default. */
  readonly decided_in: readonly string[];
  /** The default validator rejects containers to which a plugin adds an OCI hook (containerd 2.2 and later). */
  readonly rejects_hooks: boolean;
  readonly socket: SocketFacts;
}

export interface NriPluginFacts {
  readonly pid: number;
  /** The first words of its command line. */
  readonly command: string;
  /** The socket to which it connects; null if the runtime launched it. */
  readonly socket: string | null;
  /** The hook that it adds to containers; null in direct mode, or if the runtime launched it. */
  readonly hook: string | null;
  /** Null if the runtime launched it. */
  readonly mode: "inject" | "direct" | "auto" | null;
  /** The address where it serves metrics; null if it serves none. */
  readonly metrics_address: string | null;
  /** The runtime has configured but not synchronized it; null if its metrics cannot be read. */
  readonly unsynchronized: boolean | null;
}

interface RuncRuntimeFacts {
  readonly name: string;
  /** base_runtime_spec; null if it has none. */
  readonly base_spec: string | null;
  /** The deciding file; null for containerd's built-in runtime. */
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
  /** The path itself, or a directory or link in it. */
  readonly step: string;
  /** "belongs to user 1000" */
  readonly problem: string;
}

export interface ProgramFacts {
  readonly path: string;
  /** Null if it does not run, or cannot be run from here. */
  readonly version: string | null;
  /** Null: it cannot be run from here. */
  readonly runs: boolean | null;
}

export interface HookConfigFacts {
  readonly path: string;
  readonly kind: "hooks-dir" | "base-spec";
  /** The program that it calls: the hook, after its loader if there is one. */
  readonly calls: string;
  /** Programs among `calls` that do not exist. */
  readonly missing: readonly string[];
  /** The agent's address, as configured for the hook. */
  readonly agent_address: string;
}
