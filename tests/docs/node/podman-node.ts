// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { removeCgroup } from "../../harness/cgroup.ts";
import { findTool } from "../../harness/programs.ts";
import type { Workspace } from "../../harness/workspace.ts";
import type { Surroundings } from "../pages/run-blocks.ts";
import { playSystemctl } from "./play-tools.ts";

/** What podman needs on the machines of the tests: they have no network of containers and no CAP_SYS_RESOURCE. */
const containersConfig = `
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "none"
hooks_dir = ["/usr/share/containers/oci/hooks.d"]
`;
const storageConfig =
  '[storage]\ndriver = "vfs"\nrunroot = "/var/run/storage"\ngraphroot = "/var/lib/containers"\n';

/** What the blocks of a page find on a node with podman. */
export function preparePodmanNode(workspace: Workspace): Surroundings {
  // Podman's own, where no other is asked for.
  workspace.onClose(() => removeCgroup("/libpod_parent"));
  for (const tool of ["podman", "runc"]) findTool(tool);
  writeFileSync(workspace.path("containers.conf"), containersConfig);
  writeFileSync(workspace.path("storage.conf"), storageConfig);
  return {
    ownDirectories: [
      ...["/usr/local/bin", "/opt", "/run", "/var/lib/containers", "/var/log", "/mnt"],
      "/usr/share/containers/oci/hooks.d",
    ],
    files: ["deploy"],
    env: {
      PATH: `${workspace.path("tools")}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      CONTAINERS_CONF: workspace.path("containers.conf"),
      CONTAINERS_STORAGE_CONF: workspace.path("storage.conf"),
    },
    setUp: [...playSystemctl],
    killAfterS: 150,
  };
}
