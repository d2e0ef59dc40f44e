// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Built as the hook is, but with nothing in it. */
export async function buildEmptyProgram(dir: string): Promise<string> {
  const source = join(dir, "empty.ts");
  const program = join(dir, "empty");
  writeFileSync(source, "export {};\n");
  const options = ["--compile", "--minify", "--format=esm", "--bytecode", "--splitting"];
  const build = Bun.spawn([process.execPath, "build", ...options, source, `--outfile=${program}`], {
    cwd: dir,
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await build.exited) !== 0) throw new Error(await new Response(build.stderr).text());
  return program;
}
