// SPDX-License-Identifier: Apache-2.0
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runProcess } from "../../harness/process.ts";
import { findTool } from "../../harness/programs.ts";
import type { Kernel } from "./find-kernels.ts";

/** A text, or a file of this machine. */
export type FileSource = string | { readonly from: string };

export interface RootContents {
  readonly init: string;
  /** By absolute path in the virtual machine. */
  readonly files: Readonly<Record<string, FileSource>>;
}

const programs = ["tetragon", "tetragon-oci-hook"];

function place(root: string, path: string, source: FileSource): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  if (typeof source === "string") writeFileSync(target, source);
  else copyFileSync(source.from, target);
}

/** Writes a cpio archive with the kernel's root file system below `dir`; its path. */
export async function createInitramfs(dir: string, kernel: Kernel, contents: RootContents): Promise<string> {
  const root = join(dir, "root");
  const archive = join(dir, "initramfs");
  cpSync(kernel.rootDir, root, { recursive: true, verbatimSymlinks: true });
  for (const name of programs) {
    const from = join(kernel.programsDir, name);
    if (!existsSync(from)) throw new Error(`${from} is missing: \`make test\` builds it`);
    place(root, `/usr/bin/${name}`, { from });
  }
  for (const [path, source] of Object.entries(contents.files)) place(root, path, source);
  writeFileSync(join(root, "init"), contents.init);
  chmodSync(join(root, "init"), 0o755);
  // Not compressed: to unpack it costs an emulated processor more than to read it.
  const pack = 'cd "$1" && find . -print0 | "$2" --quiet --null --create --format=newc --owner=0:0 >"$3"';
  const words = [pack, "sh", root, findTool("cpio"), archive];
  const { exitCode, stderr } = await runProcess(["/bin/sh", "-c", ...words]);
  if (exitCode !== 0) throw new Error(`cpio: ${stderr}`);
  return archive;
}
