// SPDX-License-Identifier: Apache-2.0
// The policies of this folder, as their YAML says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const folder = join(import.meta.dir, "policies");

interface PolicyFile {
  readonly name: string;
  readonly document: unknown;
}

export const policyFiles: readonly PolicyFile[] = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .toSorted()
  .map((file) => ({
    name: file.slice(0, -".yaml".length),
    document: parse(readFileSync(join(folder, file), "utf8")),
  }));
