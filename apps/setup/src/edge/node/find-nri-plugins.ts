// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { NriPluginFacts } from "../../core/node-facts.ts";
import { parseNriPlugin } from "../../core/nri-plugin-process.ts";

const MAX_BYTES = 4096;

/** Of the node's processes; none where its /proc is not seen. */
export function findNriPlugins(root: string): readonly NriPluginFacts[] {
  const proc = join(root, "proc");
  if (!existsSync(proc)) return [];
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => parseNriPlugin(Number(pid), readCommandLine(join(proc, pid, "cmdline"))))
    .filter((plugin) => plugin !== undefined);
}

function readCommandLine(path: string): readonly string[] {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(MAX_BYTES);
      return bytes.toString("utf8", 0, readSync(file, bytes)).split("\0");
    } finally {
      closeSync(file);
    }
  } catch {
    // It has ended.
    return [];
  }
}
