// SPDX-License-Identifier: Apache-2.0
// Stands for the images of the chart: the C library, and nothing else. The built programs are mounted into each container,
// so that an image of some hundred megabytes is not made and unpacked for each run.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Containerd } from "../../harness/containerd.ts";
import { runProcess } from "../../harness/process.ts";
import { findProgram } from "../../harness/programs.ts";
import type { Workspace } from "../../harness/workspace.ts";

export const programImage = "localhost/rthooks-programs:test";

const programs = [
  "tetragon",
  "tetragon-oci-hook",
  "tetragon-oci-hook-setup",
  "tetragon-nri-hook",
  "tetragon-operator",
];

/** Places of the programs in the images, and on this host. */
export const programMounts: readonly { readonly containerPath: string; readonly hostPath: string }[] =
  programs.map((name) => ({ containerPath: `/usr/bin/${name}`, hostPath: realpathSync(findProgram(name)) }));

async function must(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

async function createArchive(workspace: Workspace, archive: string): Promise<void> {
  const dir = workspace.path("program-image");
  const root = join(dir, "root");
  // Mount points: the containers have read-only root file systems.
  for (const sub of ["proc", "sys", "dev", "etc", "run", "tmp", "usr/bin"])
    mkdirSync(join(root, sub), { recursive: true });
  for (const { containerPath } of programMounts) writeFileSync(join(root, containerPath), "");
  const libraries = (await must("/usr/bin/ldd", findProgram("tetragon"))).match(/\/\S+/g) ?? [];
  for (const library of libraries.filter((path) => existsSync(path))) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
  const layer = join(dir, "layer.tar");
  await must("/bin/tar", "-cf", layer, "-C", root, ".");
  const diffId = `sha256:${createHash("sha256").update(readFileSync(layer)).digest("hex")}`;
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Env: ["PATH=/usr/bin"] },
    rootfs: { type: "layers", diff_ids: [diffId] },
  };
  writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [programImage], Layers: ["layer.tar"] }];
  writeFileSync(join(dir, "manifest.json"), JSON.stringify(manifest));
  await must("/bin/tar", "-cf", archive, "-C", dir, "manifest.json", "layer.tar", "config.json");
}

export async function importProgramImage(workspace: Workspace, containerd: Containerd): Promise<void> {
  const archive = workspace.path("programs.tar");
  if (!existsSync(archive)) await createArchive(workspace, archive);
  await containerd.ctr("images", "import", archive);
}
