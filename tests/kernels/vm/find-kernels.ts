// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A kernel that scripts/kernels-download.sh unpacked, and what a root file system for it is made of. */
export interface Kernel {
  readonly name: KernelName;
  readonly arch: "amd64" | "arm64";
  /** What `uname -r` prints. A series moves on, so this is known only when it is there. */
  readonly version: string;
  readonly imagePath: string;
  /** Busybox, runc, bpftool and their libraries, as Debian's packages place them. */
  readonly rootDir: string;
  /** The built programs for this architecture. */
  readonly programsDir: string;
}

export interface UnavailableKernel {
  readonly name: KernelName;
  /** Why its package could not be had. */
  readonly unavailable: string;
}

export const kernelNames = ["6.1-amd64", "6.12-amd64", "6.1-arm64"] as const;
export type KernelName = (typeof kernelNames)[number];

const repository = join(import.meta.dir, "..", "..", "..");
const folder = join(repository, ".cache", "kernels");
/** As Bun names them. */
const bunArchs = { amd64: "x64", arm64: "arm64" } as const;

export function findKernel(name: KernelName): Kernel | UnavailableKernel {
  const dir = join(folder, name);
  const read = (file: string): string | undefined =>
    existsSync(join(dir, file)) ? readFileSync(join(dir, file), "utf8").trim() : undefined;
  const version = read("version");
  if (version === undefined) {
    const unavailable = read("unavailable");
    if (unavailable === undefined) throw new Error(`${dir} is missing: run \`make kernels-test\` first`);
    return { name, unavailable };
  }
  const arch = name.endsWith("-arm64") ? "arm64" : "amd64";
  const programsDir =
    bunArchs[arch] === process.arch
      ? (process.env["RTHOOKS_DIST"] ?? join(repository, "dist"))
      : join(repository, "dist", bunArchs[arch]);
  return {
    ...{ name, arch, version, programsDir },
    imagePath: join(dir, "vmlinuz"),
    rootDir: join(folder, `root-${arch}`),
  };
}
