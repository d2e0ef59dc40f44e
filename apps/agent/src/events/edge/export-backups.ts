// SPDX-License-Identifier: Apache-2.0
// The older files of the export. Their names are those of the library that Tetragon uses (lumberjack):
// events-2006-01-02T15-04-05.000.log.

import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { describeError } from "@rthooks/result";
import type { ExportFileSettings } from "../core/export-settings.ts";
import { compressFile, stagedSuffix } from "./compress-file.ts";

const stamp = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;

/** A name that no file has. */
export function findBackupName(path: string, nowMs: number): string {
  const suffix = extname(path);
  const stem = path.slice(0, path.length - suffix.length);
  for (let atMs = nowMs; ; atMs++) {
    const time = new Date(atMs).toISOString().slice(0, 23).replaceAll(":", "-");
    const target = `${stem}-${time}${suffix}`;
    const isTaken = [target, `${target}.gz`].some(
      (name) => lstatSync(name, { throwIfNoEntry: false }) !== undefined,
    );
    if (!isTaken) return target;
  }
}

/** Of an agent that was killed while it compressed an older file: that file is still there. */
export function removeStaged(path: string, onError: (error: string) => void): void {
  const directory = dirname(path);
  try {
    for (const name of readdirSync(directory)) {
      if (name.endsWith(stagedSuffix) && isBackup(path, name.slice(0, -stagedSuffix.length)))
        unlinkSync(join(directory, name));
    }
  } catch (error) {
    onError(`cannot remove what an earlier agent left in ${directory}: ${describeError(error)}`);
  }
}

/** Whether `name` is that of an older file which is not compressed. */
function isBackup(path: string, name: string): boolean {
  const suffix = extname(path);
  const stem = `${basename(path, suffix)}-`;
  if (!name.startsWith(stem) || !name.endsWith(suffix)) return false;
  return stamp.test(name.slice(stem.length, name.length - suffix.length));
}

/** Compresses the newest of the older files, and removes those that are too many. */
export function tidyBackups(
  options: ExportFileSettings,
  newest: string,
  onError: (error: string) => void,
): void {
  const { path, maxBackups } = options;
  if (options.compresses) {
    compressFile(newest, options.mode).catch((error: unknown) =>
      onError(`cannot compress ${newest}: ${describeError(error)}`),
    );
  }
  if (maxBackups === 0) return;
  const backups = readdirSync(dirname(path))
    .filter((name) => isBackup(path, name.endsWith(".gz") ? name.slice(0, -3) : name))
    .toSorted();
  for (const name of backups.slice(0, Math.max(0, backups.length - maxBackups))) {
    try {
      unlinkSync(join(dirname(path), name));
    } catch (error) {
      onError(`cannot remove ${name}: ${describeError(error)}`);
    }
  }
}
