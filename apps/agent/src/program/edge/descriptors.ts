// SPDX-License-Identifier: Apache-2.0
// The file descriptors of this process (proc(5)). Bun raises the soft limit to the hard limit before any code runs.

import { readdirSync, readFileSync } from "node:fs";

const nearlyAll = 0.9;

/** Infinity if the limit cannot be read. */
export function readDescriptorLimit(): number {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line?.[1] === undefined ? Infinity : Number(line[1]);
  } catch {
    return Infinity;
  }
}

/** One line for the health when over 90 % of the descriptors are in use; empty otherwise. */
export function describeDescriptorShortage(limit: number): string {
  const remedy = "raise the limit of open files (LimitNOFILE of the unit, ulimit -n)";
  try {
    const open = readdirSync("/proc/self/fd").length;
    return open > limit * nearlyAll ? `${open} of ${limit} file descriptors are open: ${remedy}` : "";
  } catch {
    return `cannot count the open file descriptors; all ${limit} may be in use: ${remedy}`;
  }
}
