// SPDX-License-Identifier: Apache-2.0

import type { HookLog } from "@rthooks/hold";

/** The hook's log, written after the answer to the runtime, so that no container waits for the write. */
export function createLateLog(log: HookLog): HookLog {
  let lines: (() => Promise<void>)[] = [];
  const flush = async (): Promise<void> => {
    const due = lines;
    lines = [];
    for (const write of due) await write();
  };
  return {
    path: log.path,
    async write(level, msg, fields) {
      if (lines.length === 0) setImmediate(() => void flush());
      lines.push(() => log.write(level, msg, fields));
    },
  };
}
