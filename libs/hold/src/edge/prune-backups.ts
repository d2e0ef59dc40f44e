// SPDX-License-Identifier: Apache-2.0
// Loaded only by a hook that has rotated the log.

import { readdirSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { splitExtension } from "../core/backup-name.ts";

const KEPT_BACKUPS = 3;
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Removes the backups of the log beyond the newest three, and those older than seven days. */
export function pruneBackups(path: string, nowMs: number): void {
  const [stem, extension] = splitExtension(path);
  const prefix = `${basename(stem)}-`;
  const directory = dirname(path);
  const backups = readdirSync(directory)
    .map((name) => ({ name, timeMs: toTime(name, prefix, extension) }))
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

/** NaN if the name is not that of a backup. */
function toTime(name: string, prefix: string, extension: string): number {
  if (!name.startsWith(prefix) || !name.endsWith(extension)) return Number.NaN;
  const stamp = name.slice(prefix.length, name.length - extension.length);
  const match = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(stamp);
  return match === null ? Number.NaN : Date.parse(`${match[1]}:${match[2]}:${match[3]}Z`);
}
