// SPDX-License-Identifier: Apache-2.0
// Which directories to watch for changes of what a path leads to.

import { lstat, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isMissing } from "./is-missing.ts";

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The directory that contains the path's last component, those of the links that it leads through, and the directory
 * itself where it is one. Of a path that leads to nothing the nearest directory that exists, where the rest may appear.
 * Undefined where they cannot be found. Does not block the event loop.
 */
export async function findWatchedDirectories(path: string): Promise<ReadonlySet<string> | undefined> {
  const found = new Set<string>();
  try {
    let current = path;
    for (let links = 0; links <= MAX_LINKS; links++) {
      const directory = await findExisting(dirname(current));
      found.add(directory.path);
      const entry = join(directory.path, basename(current));
      const stats = directory.isWhole ? await lstatOf(entry) : undefined;
      if (stats?.isDirectory() === true) found.add(entry);
      if (stats?.isSymbolicLink() !== true) return found;
      current = resolve(directory.path, await readlink(entry));
    }
  } catch {
    // Such as no right to search a directory, or a link that was replaced meanwhile: the next look comes by time.
  }
  return undefined;
}

/** The directory without links in its path, or the nearest above it that exists. */
async function findExisting(
  directory: string,
): Promise<{ readonly path: string; readonly isWhole: boolean }> {
  for (let path = directory; ; path = dirname(path)) {
    const isRoot = dirname(path) === path;
    try {
      return { path: await realpath(path), isWhole: path === directory };
    } catch (error) {
      if (isRoot || !isMissing(error)) throw error;
    }
  }
}

async function lstatOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
