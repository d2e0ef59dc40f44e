// SPDX-License-Identifier: Apache-2.0
// The file descriptors of this process (proc(5)). Bun raises the soft limit to the hard limit before any code runs.

import { readdirSync, readFileSync } from "node:fs";

/** Infinity if the limit cannot be read. */
export function readDescriptorLimit(): number {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line?.[1] === undefined ? Infinity : Number(line[1]);
  } catch {
    return Infinity;
  }
}

/** Undefined if they cannot be counted, such as when all are in use. */
export function countOpenDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}
