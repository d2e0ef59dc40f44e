// SPDX-License-Identifier: Apache-2.0

import { type Dirent, readdirSync } from "node:fs";

/** Names of the directories in one; none for one that is gone. Links are none. Throws where nothing can be said. */
export function listDirectories(path: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
