// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { isNriPlugin } from "../../core/nri-plugin-process.ts";

const MAX_BYTES = 4096;

/** Command lines of the node's processes that add the hook by NRI; where the node's are not seen, of ours. */
export function findNriPlugins(root: string): readonly string[] {
  const proc = existsSync(join(root, "proc/1")) ? join(root, "proc") : "/proc";
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readCommandLine(join(proc, pid, "cmdline")))
    .filter(isNriPlugin)
    .map((words) => words.slice(0, 4).join(" "));
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
