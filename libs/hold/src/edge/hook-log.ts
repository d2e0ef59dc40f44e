// SPDX-License-Identifier: Apache-2.0

import { type LogFields, renderJsonLine } from "@rthooks/log/json-line";
import { isLogged, type LogLevel } from "@rthooks/log/log-level";
import { renderSysError, type System, type WallTime } from "@rthooks/sys";
import { renderTime } from "../core/log-record.ts";
import { appendToLog } from "./log-file.ts";

export interface HookLog {
  /** The log file; empty for standard error. */
  readonly path: string;
  /** `time`: of the line; by default now. */
  write(level: LogLevel, msg: string, fields: LogFields, time?: WallTime): Promise<void>;
}

/** If the log cannot be written, standard error gets a line; the container is not affected. */
export function createHookLog(system: System, path: string, threshold: string): HookLog {
  return {
    path,
    async write(level, msg, fields, time = system.wallClock()) {
      if (!isLogged(level, threshold)) return;
      // As slog of Tetragon's hook writes a level.
      const line = renderJsonLine(renderTime(time), level.toUpperCase(), msg, fields);
      if (path === "") return system.writeStderr(line);
      const written = await appendToLog(system, path, line);
      if (!written.ok) system.writeStderr(`cannot write the log: ${renderSysError(written.error)}\n`);
    },
  };
}
