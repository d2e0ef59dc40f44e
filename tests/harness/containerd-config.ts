// SPDX-License-Identifier: Apache-2.0
import { pauseImage } from "./containerd-image.ts";
import type { ContainerdRelease } from "./containerd-release.ts";

export interface ContainerdConfig {
  readonly dir: string;
  /** False leaves the release's default: off in 1.7, on in 2.x. Its sockets and folders are the test's own either way. */
  readonly enableNri?: boolean;
  /** Folder of plugins that containerd launches itself. */
  readonly pluginDir?: string;
  /** By default below `dir`. */
  readonly nriSocketPath?: string;
  /** Of the CNI plugins; by default containerd's own choice. */
  readonly cniBinDir?: string;
  /** More top-level tables. */
  readonly extraToml?: string;
}

/** A runtime handler that runs no OCI hooks, as those of virtual machines. */
export const hooklessHandler = "hookless";

/** An OCI runtime that takes the hooks out of a specification before runc sees it. */
export const hooklessRuntime = (runc: string): string => `#!/bin/sh
bundle=
last=
for word in "$@"; do
  [ "$last" = --bundle ] && bundle=$word
  last=$word
done
if [ -n "$bundle" ] && [ -f "$bundle/config.json" ]; then
  python3 - "$bundle/config.json" <<'PYTHON'
import json, sys
path = sys.argv[1]
with open(path) as file:
    spec = json.load(file)
if spec.pop("hooks", None) is not None:
    with open(path, "w") as file:
        json.dump(spec, file)
PYTHON
fi
exec ${runc} "$@"
`;

/** Names of the CRI's tables, per version of the configuration file. */
const tables = {
  2: {
    runtime: 'plugins."io.containerd.grpc.v1.cri"',
    images: `sandbox_image = "${pauseImage}"`,
  },
  3: {
    runtime: 'plugins."io.containerd.cri.v1.runtime"',
    images: `[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "${pauseImage}"`,
  },
} as const;

/** A file as an operator would have it, but with every folder and socket below `dir`. */
export function renderContainerdConfig(release: ContainerdRelease, config: ContainerdConfig): string {
  const { dir, enableNri = true, pluginDir, cniBinDir, extraToml = "" } = config;
  const nriSocketPath = config.nriSocketPath ?? `${dir}/nri.sock`;
  const version = release.configVersion;
  const { runtime, images } = tables[version];
  return `# containerd of a test
version = ${version}
root = "${dir}/root"
state = "${dir}/state"
temp = "${dir}/tmp"

[grpc]
  address = "${dir}/ctd.sock"

[ttrpc]
  address = "${dir}/ttrpc.sock"

[debug]
  level = "debug"

[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/opt"

[${runtime}]
  # Nothing here may raise a score: that needs CAP_SYS_RESOURCE, which test machines lack.
  restrict_oom_score_adj = true
  ${version === 2 ? images : ""}

  [${runtime}.cni]
    conf_dir = "${dir}/cni"
${cniBinDir === undefined ? "" : `    bin_dir = "${cniBinDir}"\n`}
  [${runtime}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = ["*"]
    container_annotations = ["*"]

    [${runtime}.containerd.runtimes.runc.options]
      Root = "${dir}/runc"

  [${runtime}.containerd.runtimes.${hooklessHandler}]
    runtime_type = "io.containerd.runc.v2"

    [${runtime}.containerd.runtimes.${hooklessHandler}.options]
      Root = "${dir}/runc"
      BinaryName = "${dir}/hookless-runc"

${version === 3 ? images : ""}

[plugins."io.containerd.nri.v1.nri"]
${enableNri ? "  disable = false\n" : ""}  socket_path = "${nriSocketPath}"
  plugin_path = "${pluginDir ?? `${dir}/nri-plugins`}"
  plugin_config_path = "${dir}/nri-conf"
${extraToml}`;
}
