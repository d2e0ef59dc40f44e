// SPDX-License-Identifier: Apache-2.0
// Makes src/gen from proto/: `bun generate.ts [directory to write src/gen into]`.
import { join } from "node:path";
import { writeEventFields } from "./write-event-fields.ts";

const root = join(import.meta.dir, "..");
const output = process.argv[2] ?? root;
const bin = join(root, "node_modules/.bin");

const child = Bun.spawn([join(bin, "buf"), "generate", "--output", output], {
  cwd: root,
  env: { ...process.env, PATH: `${bin}:${join(process.execPath, "..")}:${process.env["PATH"] ?? ""}` },
  stdout: "inherit",
  stderr: "inherit",
});
process.exitCode = await child.exited;
if (process.exitCode === 0) await writeEventFields(root, output);
