// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { runProcess } from "../harness/process.ts";
import type { Workspace } from "../harness/workspace.ts";
import type { Kernel } from "./vm/find-kernels.ts";

/** A program of fixtures/ with the library and its objects, for the kernel's processor. */
export async function compileFixture(
  workspace: Workspace,
  name: string,
  arch: Kernel["arch"],
): Promise<string> {
  const program = workspace.path(`${name}-${arch}-${crypto.randomUUID()}`);
  const target = `bun-linux-${arch === "amd64" ? "x64" : "arm64"}`;
  const source = join(import.meta.dir, "fixtures", `${name}.ts`);
  const options = ["--compile", "--minify", "--bytecode", "--format=esm", `--outfile=${program}`];
  // The machine's own Bun may be the one for processors without AVX2: then it is taken.
  const cross = arch === (process.arch === "x64" ? "amd64" : "arm64") ? [] : [`--target=${target}`];
  const { exitCode, stderr } = await runProcess([process.execPath, "build", ...options, ...cross, source]);
  if (exitCode !== 0) throw new Error(stderr);
  return program;
}
