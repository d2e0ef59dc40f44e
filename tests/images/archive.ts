// SPDX-License-Identifier: Apache-2.0
// Reads the OCI archives that `make images` writes.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "../harness/process.ts";
import type { Workspace } from "../harness/workspace.ts";

export const repository = join(import.meta.dir, "..", "..");

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(join(repository, "package.json"), "utf8"),
);
export const { version } = manifest;

interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly created: string;
  readonly config: {
    readonly User?: string;
    readonly Entrypoint: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
}

export interface UnpackedImage {
  readonly config: ImageConfig;
  /** Its name in containerd. */
  readonly name: string;
  /** Folder with the files of its layers. */
  readonly root: string;
}

export function findArchive(image: string, arch: string): string {
  const path = join(repository, "dist", "images", `${image}-${arch}.tar`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`make images\` first`);
  return path;
}

async function untar(archive: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  const { exitCode, stderr } = await runProcess(["tar", "-xf", archive, "-C", to]);
  if (exitCode !== 0) throw new Error(`tar: ${stderr}`);
}

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export async function unpackImage(workspace: Workspace, image: string, arch: string): Promise<UnpackedImage> {
  const layout = workspace.path(image, arch, "layout");
  const root = workspace.path(image, arch, "root");
  await untar(findArchive(image, arch), layout);
  const blob = (digest: string): string => join(layout, "blobs", ...digest.split(":"));
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  const { manifests }: { readonly manifests: readonly Descriptor[] } = read(join(layout, "index.json"));
  const [found] = manifests;
  if (found === undefined || manifests.length > 1) throw new Error(`${manifests.length} manifests`);
  const manifest: { readonly config: Descriptor; readonly layers: readonly Descriptor[] } = read(
    blob(found.digest),
  );
  for (const layer of manifest.layers) await untar(blob(layer.digest), root);
  return {
    config: read(blob(manifest.config.digest)),
    name: found.annotations?.["io.containerd.image.name"] ?? "",
    root,
  };
}
