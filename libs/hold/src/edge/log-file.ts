// SPDX-License-Identifier: Apache-2.0
// The log file, to which many hooks append at the same time. Each line is one write(2) with O_APPEND, which is atomic. The
// hook that locks a full file first renames it; hooks that have it open append to the renamed file. No hook waits for the
// lock, and an error here does not affect the container.

import { err, ok, type Result } from "@rthooks/result";
import { type LogFile, renderSysError, type SysError, type System } from "@rthooks/sys";
import { toBackupPath } from "../core/backup-name.ts";

/** Size at which the log is rotated; concurrent hooks may exceed it by some lines. */
const ROTATE_BYTES = 50 * 1024 * 1024;

/** Appends one line to the file at `path`, and rotates the file before if the line would exceed the limit. */
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
    // The line is written even if the rotation fails.
    if (!rotated.ok) system.writeStderr(`cannot rotate the log: ${renderSysError(rotated.error)}\n`);
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
  return err({ call: "rename", subject: path, code: "EEXIST", message: "all backup names exist" });
}
