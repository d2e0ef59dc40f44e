// SPDX-License-Identifier: Apache-2.0
// Removes inherited entries whose cgroup no longer exists.

import { lstatSync } from "node:fs";
import { listDirectories } from "../../base/edge/list-directories.ts";
import type { PolicyFilter } from "../core/policy-filter.ts";

type InheritedFilter = Pick<PolicyFilter, "inheritedCgroupIds" | "removeInherited">;

/** Directories in one slice: a stat costs about 4 µs, and hook calls wait meanwhile. */
const sliceSize = 100;

export interface InheritedSweepOptions {
  readonly filter: InheritedFilter;
  readonly cgroupRoot: string;
  /** Whether the hierarchy at the root is still the agent's: in another one its cgroups are missing, but not gone. */
  isSeen(): boolean;
  readonly intervalMs: number;
}

/** Searches the whole hierarchy while there are inherited entries. Returns the function that stops it. */
export function sweepInherited(options: InheritedSweepOptions): () => void {
  const { filter, cgroupRoot, isSeen, intervalMs } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let slice: ReturnType<typeof setImmediate> | undefined;
  const begin = (): void => {
    const missing = new Set(filter.inheritedCgroupIds());
    if (missing.size === 0) return;
    // The ids were taken before the search: a cgroup that is made during it has another id.
    const waiting = [cgroupRoot];
    let wasSeen = true;
    /** Returns whether there are more directories. */
    const searchSlice = (): boolean => {
      for (let done = 0; done < sliceSize; done++) {
        const directory = waiting.pop();
        if (directory === undefined) return false;
        const id = readId(directory);
        if (id !== undefined) missing.delete(id);
        for (const child of listDirectories(directory)) waiting.push(`${directory}/${child}`);
      }
      return true;
    };
    const step = (): void => {
      try {
        const hasMore = searchSlice();
        wasSeen &&= isSeen();
        if (hasMore && wasSeen) {
          slice = setImmediate(step);
          return;
        }
        if (wasSeen) filter.removeInherited(missing);
      } catch {
        // A directory that cannot be read may be any of the missing cgroups: try again later.
      }
      timer = setTimeout(begin, intervalMs);
    };
    step();
  };
  timer = setTimeout(begin, intervalMs);
  return () => {
    clearTimeout(timer);
    if (slice !== undefined) clearImmediate(slice);
  };
}

/** Undefined for a directory that does not exist; throws on other errors. */
const readId = (directory: string): bigint | undefined =>
  lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino;
