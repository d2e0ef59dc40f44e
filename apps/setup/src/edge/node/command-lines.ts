// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

interface CommandLine {
  /** In the /proc that was read. */
  readonly pid: number;
  /** The program's own name first; only the first 4096 bytes are read. */
  readonly words: readonly string[];
}

const MAX_BYTES = 4096;

/** Of the node's processes; empty if its /proc cannot be read. */
export function listCommandLines(root: string): readonly CommandLine[] {
  const proc = join(root, "proc");
  if (!existsSync(proc)) return [];
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), words: readCommandLine(join(proc, pid, "cmdline")) }));
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
    // The process has ended.
    return [];
  }
}
