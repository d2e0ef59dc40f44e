// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether the process `pid` in the /proc below `root` is this program. In a container it has another number there than
 * here; its number in its own PID namespace (`NSpid` of proc_pid_status(5)) and its start time are the same in both.
 */
export function isThisProcess(root: string, pid: number): boolean {
  try {
    const there = join(root, "proc", String(pid));
    const [own] =
      /(\d+)$/m.exec(/^NSpid:.*$/m.exec(readFileSync(join(there, "status"), "utf8"))?.[0] ?? "") ?? [];
    return own === String(process.pid) && findStartTicks(there) === findStartTicks("/proc/self");
  } catch {
    // The process has ended.
    return false;
  }
}

/** Field 22 of proc_pid_stat(5). The second one, the program's name in parentheses, may have any character. */
function findStartTicks(directory: string): string | undefined {
  const text = readFileSync(join(directory, "stat"), "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}
