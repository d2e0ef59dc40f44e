// SPDX-License-Identifier: Apache-2.0
// The files of a node below a root directory that may differ from this program's: a container sees its host's files
// below a mount. Symbolic links resolve as on the node, so that none leads out of its root.

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { describeError } from "@rthooks/result";
import type { NodeFiles } from "../core/node-files.ts";

/** Linux's limit (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The path as this program sees it, with all links resolved; undefined if nothing exists there, or links form a loop.
 */
export const findInRoot = (root: string, path: string): string | undefined =>
  walkInRoot(root, path, () => {});

/** Like `findInRoot`; calls `visit` for the root and each directory and link of the path, by the paths of the node. */
export function walkInRoot(
  root: string,
  path: string,
  visit: (path: string, stat: Stats) => void,
): string | undefined {
  const rootStat = lstatSync(root, { throwIfNoEntry: false });
  if (rootStat === undefined) return undefined;
  visit("/", rootStat);
  const pending = path.split("/");
  let links = 0;
  let found: string[] = [];
  for (let word = pending.shift(); word !== undefined; word = pending.shift()) {
    if (word === "" || word === ".") continue;
    if (word === "..") {
      found = found.slice(0, -1);
      continue;
    }
    const here = join(root, ...found, word);
    let target: string | undefined;
    try {
      const stat = lstatSync(here);
      visit(`/${[...found, word].join("/")}`, stat);
      if (stat.isSymbolicLink()) target = readlinkSync(here);
    } catch {
      return undefined;
    }
    if (target === undefined) {
      found.push(word);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return undefined;
    if (target.startsWith("/")) found = [];
    pending.unshift(...target.split("/"));
  }
  return join(root, ...found);
}

const MAX_BYTES = 1024 * 1024;
const MAX_NAMES = 4096;

export function openNodeFiles(root: string): NodeFiles {
  return {
    readText(path) {
      const found = findInRoot(root, path);
      if (found === undefined) return undefined;
      let file: number;
      try {
        // O_NONBLOCK: a pipe must not block. O_NOFOLLOW: a link may have been created since the path was resolved.
        file = openSync(found, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
      } catch (error) {
        return { problem: `cannot be read: ${describeError(error)}` };
      }
      try {
        const stat = fstatSync(file);
        if (!stat.isFile()) return { problem: "is not a regular file" };
        if (stat.size > MAX_BYTES) return { problem: "is larger than 1 MiB" };
        return { text: readFileSync(file, "utf8") };
      } catch (error) {
        return { problem: `cannot be read: ${describeError(error)}` };
      } finally {
        closeSync(file);
      }
    },
    list(path) {
      const found = findInRoot(root, path);
      if (found === undefined) return [];
      try {
        return readdirSync(found).sort().slice(0, MAX_NAMES);
      } catch {
        return [];
      }
    },
    kind(path) {
      const found = findInRoot(root, path);
      if (found === undefined) return undefined;
      try {
        const stat = lstatSync(found);
        if (stat.isFile()) return "file";
        if (stat.isDirectory()) return "directory";
        return stat.isSocket() ? "socket" : "other";
      } catch {
        return undefined;
      }
    },
    isExecutable(path) {
      const found = findInRoot(root, path);
      if (found === undefined) return false;
      try {
        accessSync(found, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    },
  };
}
