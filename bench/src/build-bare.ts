// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";

/** Compiles loops.c; the path of the program. */
export function buildLoops(dir: string): string {
  const program = join(dir, "loops");
  const include = `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const options = ["-O2", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin", include];
  const source = join(import.meta.dir, "loops.c");
  const { exitCode, stderr } = Bun.spawnSync(["clang", ...options, "-o", program, source]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return program;
}
