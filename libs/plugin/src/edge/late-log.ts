// SPDX-License-Identifier: Apache-2.0

import type { HookLog } from "@rthooks/hold";
import type { WallTime } from "@rthooks/sys";

/**
 * The hook's log, written after the answer to the runtime, so that no container waits for the write. A line has the time at
 * which it would have been written. `hostPath`: of the log, for messages of containers that are denied.
 */
export function createLateLog(log: HookLog, hostPath: string, wallClock: () => WallTime): HookLog {
  let lines: (() => Promise<void>)[] = [];
  const flush = async (): Promise<void> => {
    const due = lines;
    lines = [];
    for (const write of due) await write();
  };
  return {
    path: hostPath,
    async write(level, msg, fields) {
      const time = wallClock();
      if (lines.length === 0) setImmediate(() => void flush());
      lines.push(() => log.write(level, msg, fields, time));
    },
  };
}
