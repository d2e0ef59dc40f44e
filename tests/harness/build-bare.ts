// SPDX-License-Identifier: Apache-2.0
import { basename, join } from "node:path";

/** Compiles a program of bare.h to a static binary in the directory; its path. */
export function buildBare(source: string, dir: string): string {
  const program = join(dir, basename(source, ".c"));
  const include = `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const options = ["-O2", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin", include];
  const { exitCode, stderr } = Bun.spawnSync(["clang", ...options, "-o", program, source]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return program;
}
