// SPDX-License-Identifier: Apache-2.0

import { type Dirent, readdirSync } from "node:fs";
import { isMissing } from "@rthooks/sys/is-missing";

/** Names of the directories in `path`, without links; empty if `path` does not exist. Throws on any other error. */
export function listDirectories(path: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
