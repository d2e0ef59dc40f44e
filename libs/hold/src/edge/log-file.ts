// SPDX-License-Identifier: Apache-2.0
// The log: many hooks append to one file at once. Each line is one write to a file opened for appending, which
// the kernel keeps whole. A file that is full is renamed by whoever locks it first; lines of hooks that still
// hold it open land in the renamed file. Nothing waits, and no failure here fails a container.

import { err, ok, type Result } from "@rthooks/result";
import { type LogFile, renderSysError, type SysError, type System } from "@rthooks/sys";
import { toBackupPath } from "../core/backup-name.ts";

/** Size that a log does not grow beyond, but for lines that were on their way. */
const ROTATE_BYTES = 50 * 1024 * 1024;

/** Appends one line to the file at `path`, having renamed the file before if the line would make it too large. */
export async function appendToLog(
  system: System,
  path: string,
  line: string,
  rotateBytes = ROTATE_BYTES,
): Promise<Result<void, SysError>> {
  const bytes = new TextEncoder().encode(line);
  const opened = system.openLog(path);
  if (!opened.ok) return opened;
  let log = opened.value;
  if (log.size > 0 && log.size + bytes.length > rotateBytes) {
    const rotated = await rotate(system, log, path);
    // The line matters more than the limit.
    if (!rotated.ok) system.writeStderr(`the log was not rotated: ${renderSysError(rotated.error)}\n`);
    const again = system.openLog(path);
    if (again.ok) {
      log.close();
      log = again.value;
    }
  }
  const appended = log.append(bytes);
  log.close();
  return appended;
}

async function rotate(system: System, log: LogFile, path: string): Promise<Result<void, SysError>> {
  const nowMs = system.wallClock().seconds * 1000;
  for (let attempt = 0; attempt < 100; attempt++) {
    const renamed = log.renameTo(toBackupPath(path, nowMs + attempt));
    if (!renamed.ok && renamed.error.code === "EEXIST") continue;
    if (!renamed.ok) return renamed;
    if (renamed.value) {
      const { pruneBackups } = await import("./prune-backups.ts");
      pruneBackups(path, nowMs);
    }
    return ok(undefined);
  }
  return err({ call: "rename", subject: path, code: "EEXIST", message: "every name for a backup is taken" });
}
