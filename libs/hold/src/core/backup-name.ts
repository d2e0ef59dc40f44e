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
