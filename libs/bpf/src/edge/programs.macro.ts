// SPDX-License-Identifier: Apache-2.0
// Imported `with { type: "macro" }`: this runs in the bundler, and what it returns is embedded in the program.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The object of bpf/NAME.bpf.c, in Base64: a macro can return a text, and no bytes. */
export function embedPrograms(name: string): string {
  const path = join(import.meta.dir, "..", "..", "..", "..", "bpf", "out", `${name}.o`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`make build\` first`);
  return readFileSync(path).toString("base64");
}
