// SPDX-License-Identifier: Apache-2.0
// Writes log lines to a file descriptor, many lines in one write. A caller never waits for the reader of the log; `flush`
// writes the remaining lines when the process exits.

import { write, writeSync } from "node:fs";
import type { LogFields } from "../core/json-line.ts";
import { isLogged, type LogLevel } from "../core/log-level.ts";
import { type LogFormat, type Logger, renderLogLine } from "../core/logger.ts";
import { nowMs, renderNow } from "./clock.ts";

export interface LogWriter extends Logger {
  /** Resolves when all lines so far are written. */
  drain(): Promise<void>;
  /** The lowest level that is logged. */
  level(): LogLevel;
  setLevel(level: LogLevel): void;
  /** Writes all lines synchronously, at the exit of the process. Lines of a running write may appear twice. */
  flush(): void;
}

/** Bounds the memory when the reader of the log has stopped reading. */
const maxPendingBytes = 32 * 1024 * 1024;
const retryMs = 20;
const flushTimeoutMs = 1000;

export function createLogWriter(fd: number, format: LogFormat, minLevel: LogLevel): LogWriter {
  let pending: string[] = [];
  let pendingLength = 0;
  let dropped = 0;
  /** The remaining bytes of the running write. */
  let current: Buffer | undefined;
  let isScheduled = false;
  let least = minLevel;

  const take = (): Buffer | undefined => {
    if (dropped > 0) {
      pending.push(
        renderLogLine(format, renderNow(), "error", "log lines dropped: the log is not being read", {
          dropped,
        }),
      );
      dropped = 0;
    }
    if (pending.length === 0) return undefined;
    const bytes = Buffer.from(pending.join(""));
    pending = [];
    pendingLength = 0;
    return bytes;
  };

  const pump = (): void => {
    isScheduled = false;
    if (current !== undefined) return;
    current = take();
    if (current !== undefined) writeOn();
  };

  const writeOn = (): void => {
    const bytes = current;
    if (bytes === undefined) return;
    write(fd, bytes, (error, written) => {
      // `flush` has written these bytes in the meantime.
      if (current !== bytes) return;
      if (error !== null && error.code === "EAGAIN") setTimeout(writeOn, retryMs);
      else if (error !== null || written === bytes.length) {
        // A write error cannot be logged.
        current = undefined;
        pump();
      } else {
        current = bytes.subarray(written);
        writeOn();
      }
    });
  };

  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (!isLogged(level, least)) return;
    const line = renderLogLine(format, renderNow(), level, message, fields);
    if (pendingLength + line.length > maxPendingBytes) {
      dropped++;
      return;
    }
    pending.push(line);
    pendingLength += line.length;
    if (!isScheduled) {
      isScheduled = true;
      setImmediate(pump);
    }
  };

  const drain = async (): Promise<void> => {
    const deadlineMs = nowMs() + flushTimeoutMs;
    while ((current !== undefined || pending.length > 0) && nowMs() < deadlineMs) {
      pump();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const flush = (): void => {
    let bytes = current === undefined ? take() : Buffer.concat([current, take() ?? Buffer.alloc(0)]);
    current = undefined;
    const deadlineMs = nowMs() + flushTimeoutMs;
    while (bytes !== undefined && bytes.length > 0 && nowMs() < deadlineMs) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
        Bun.sleepSync(1);
      }
    }
  };

  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    drain,
    flush,
    level: () => least,
    setLevel(level) {
      least = level;
    },
  };
}
