// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { findTool } from "../harness/programs.ts";
import type { Workspace } from "../harness/workspace.ts";

/** An object of C text, compiled as those of bpf/ are. */
export function compilePrograms(workspace: Workspace, name: string, source: string): Uint8Array {
  const [from, to] = [workspace.path(`${name}.bpf.c`), workspace.path(`${name}.o`)];
  const head = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n";
  writeFileSync(from, `${head}char LICENSE[] SEC("license") = "Dual BSD/GPL";\n${source}`);
  const include = `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const options = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", include, "-c", from, "-o", to];
  const { exitCode, stderr } = Bun.spawnSync([findTool("clang"), ...options]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return readFileSync(to);
}
