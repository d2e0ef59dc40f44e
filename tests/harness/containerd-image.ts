// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRootFs } from "./bundle.ts";
import { runProcess } from "./process.ts";
import type { Workspace } from "./workspace.ts";

/** Names of the two images in the archive. */
export const pauseImage = "localhost/rthooks-pause:test";
export const busyboxImage = "localhost/rthooks-busybox:test";

async function createTar(path: string, dir: string, entries: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess(["/bin/tar", "-cf", path, "-C", dir, ...entries]);
  if (exitCode !== 0) throw new Error(`tar: ${stderr}`);
}

/**
 * Writes an archive as `docker save` makes it: a busybox image, and a pause image that sleeps for ever. Both share one
 * layer. Nothing can be pulled where the tests run.
 */
export async function createImageArchive(workspace: Workspace): Promise<string> {
  const dir = workspace.path("images");
  mkdirSync(dir);
  createRootFs(workspace.path("image-root"));
  const layer = join(dir, "layer.tar");
  await createTar(layer, workspace.path("image-root"), ["."]);
  const diffId = `sha256:${createHash("sha256").update(readFileSync(layer)).digest("hex")}`;
  const writeConfig = (name: string, command: readonly string[]) => {
    const config = {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Entrypoint: command, Env: ["PATH=/bin"] },
      rootfs: { type: "layers", diff_ids: [diffId] },
    };
    writeFileSync(join(dir, name), JSON.stringify(config));
    return name;
  };
  const images = [
    { Config: writeConfig("pause.json", ["/bin/sleep", "2147483647"]), RepoTags: [pauseImage] },
    { Config: writeConfig("busybox.json", ["/bin/sh"]), RepoTags: [busyboxImage] },
  ];
  writeFileSync(
    join(dir, "manifest.json"),
    JSON.stringify(images.map((image) => ({ ...image, Layers: ["layer.tar"] }))),
  );
  const archive = workspace.path("images.tar");
  await createTar(archive, dir, ["manifest.json", "layer.tar", "pause.json", "busybox.json"]);
  return archive;
}
