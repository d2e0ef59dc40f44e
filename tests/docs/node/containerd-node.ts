// SPDX-License-Identifier: Apache-2.0
import { rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCgroupDirectories, removeCgroup } from "../../harness/cgroup.ts";
import { createImageArchive } from "../../harness/containerd-image.ts";
import type { ContainerdRelease } from "../../harness/containerd-release.ts";
import type { Workspace } from "../../harness/workspace.ts";
import type { Surroundings } from "../pages/run-blocks.ts";
import { playCrictl, playSystemctl } from "./play-tools.ts";

const unit = (release: ContainerdRelease): string => `[Service]
ExecStart=${join(release.binDir, "containerd")} --config /etc/containerd/config.toml
ExecStartPost=/bin/sh -c 'until ${join(release.binDir, "ctr")} version >/dev/null 2>&1; do sleep 0.1; done'
`;

const tagImage = (from: string, to: string): string =>
  `ctr -n k8s.io images tag localhost/rthooks-${from}:test ${to} >/dev/null`;

/** Those of the pod of docs/install/README.md, and what is above them where no other pod is. */
function removePodCgroups(): void {
  removeCgroup("/kubepods/besteffort/podd4e74de2-0db8-4143-ae55-695b2489c727");
  for (const directory of ["/kubepods/besteffort", "/kubepods"].flatMap(findCgroupDirectories)) {
    try {
      rmdirSync(directory);
    } catch {
      // Another test has pods there.
    }
  }
}

/** What the blocks of a page find on a node with containerd, as its package and a kubelet leave it. */
export async function prepareContainerdNode(
  workspace: Workspace,
  release: ContainerdRelease,
): Promise<Surroundings> {
  const archive = await createImageArchive(workspace);
  writeFileSync(workspace.path("containerd.service"), unit(release));
  workspace.onClose(removePodCgroups);
  return {
    ownDirectories: [
      ...["/usr/local/bin", "/opt", "/run", "/var/lib", "/var/log", "/tmp/try"],
      "/usr/share/containers/oci/hooks.d",
    ],
    files: ["deploy"],
    env: {
      PATH: `${workspace.path("tools")}:${release.binDir}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    },
    setUp: [
      ...playSystemctl,
      ...playCrictl,
      "mkdir -p /etc/containerd",
      // Where the set-up tool looks for them.
      `ln -s ${join(release.binDir, "containerd")} ${join(release.binDir, "ctr")} /usr/local/bin/`,
      "mv containerd.service /etc/systemd/system/",
      // Nothing here may raise a score: that needs CAP_SYS_RESOURCE, which test machines lack.
      "containerd config default | sed 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' >/etc/containerd/config.toml",
      // What a page fetches from another machine, without the table that it is to get.
      "sed '/io.containerd.nri.v1.nri/,/socket_path/d' /etc/containerd/config.toml >/tmp/try/old-config.toml",
      "systemctl start containerd",
      `ctr -n k8s.io images import ${archive} >/dev/null`,
      // Of sandbox_image (1.7) or pinned_images.sandbox (2.x).
      `pause=$(sed -nE "s/^ *sandbox(_image)? = ['\\"](.*)['\\"]/\\2/p" /etc/containerd/config.toml | head -1)`,
      tagImage("pause", '"$pause"'),
      tagImage("busybox", "docker.io/library/busybox:latest"),
    ],
    killAfterS: 150,
  };
}
