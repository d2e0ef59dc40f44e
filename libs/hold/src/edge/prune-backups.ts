// SPDX-License-Identifier: Apache-2.0
// Loaded only by a hook that has rotated the log.

import { readdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseBackupTime } from "../core/backup-name.ts";

const KEPT_BACKUPS = 3;
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Removes the backups of the log beyond the newest three, and those older than seven days. */
export function pruneBackups(path: string, nowMs: number): void {
  const directory = dirname(path);
  const backups = readdirSync(directory)
    .map((name) => ({ name, timeMs: parseBackupTime(path, name) }))
    .filter((backup) => !Number.isNaN(backup.timeMs))
    .sort((a, b) => b.timeMs - a.timeMs);
  for (const [index, { name, timeMs }] of backups.entries()) {
    if (index < KEPT_BACKUPS && nowMs - timeMs <= KEPT_MS) continue;
    try {
      unlinkSync(join(directory, name));
    } catch {
      // Another hook removed it, or the next rotation tries again.
    }
  }
}
