// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/** "process 123 (tetragon --server-address …)", for error messages. */
export function describeProcess(pid: number | undefined): string {
  if (pid === undefined || pid <= 0) return "another process";
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return `process ${pid} (${command.slice(0, 200)})`;
  } catch {
    return `process ${pid}`;
  }
}
