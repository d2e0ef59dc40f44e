// SPDX-License-Identifier: Apache-2.0

/** "hook.log" becomes "hook-2024-07-01T10-57-21.435.log", as Tetragon's hook names its backups. */
export function toBackupPath(path: string, timeMs: number): string {
  const [stem, extension] = splitExtension(path);
  const stamp = new Date(timeMs).toISOString().replace(/:/g, "-").replace("Z", "");
  return `${stem}-${stamp}${extension}`;
}

/** Path without extension, and the extension with its dot. Dots in directory names are ignored. */
export function splitExtension(path: string): readonly [string, string] {
  const dot = path.lastIndexOf(".");
  return dot > path.lastIndexOf("/") + 1 ? [path.slice(0, dot), path.slice(dot)] : [path, ""];
}

/**
 * When the file of this name (without its directory) was renamed, in Unix time in milliseconds. NaN if it is not the name of
 * a backup of the log at `path`.
 */
export function parseBackupTime(path: string, name: string): number {
  const [stem, extension] = splitExtension(path);
  const prefix = `${stem.slice(stem.lastIndexOf("/") + 1)}-`;
  if (!name.startsWith(prefix) || !name.endsWith(extension)) return Number.NaN;
  const stamp = name.slice(prefix.length, name.length - extension.length);
  const match = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(stamp);
  return match === null ? Number.NaN : Date.parse(`${match[1]}:${match[2]}:${match[3]}Z`);
}
