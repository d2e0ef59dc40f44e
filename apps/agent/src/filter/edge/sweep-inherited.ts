// SPDX-License-Identifier: Apache-2.0
// Removes inherited entries whose cgroup no longer exists, and those of cgroups below the root cgroup of a container, which
// earlier versions of the agent had: the entry of the root cgroup stands for them.

import { lstatSync } from "node:fs";
import { listDirectories } from "../../base/edge/list-directories.ts";
import type { PolicyFilter } from "../core/policy-filter.ts";

type InheritedFilter = Pick<
  PolicyFilter,
  "inheritedCgroupIds" | "removeInherited" | "removeCovered" | "list"
>;

/** Directories in one slice: a stat costs about 4 µs, and hook calls wait meanwhile. */
const sliceSize = 100;

interface WaitingDirectory {
  readonly path: string;
  /** Below the root cgroup of a known container. */
  readonly isNested: boolean;
  /** The highest cgroup above it that has inherited entries. */
  readonly above: bigint | undefined;
}

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
    const inherited = filter.inheritedCgroupIds();
    const missing = new Set(inherited);
    if (missing.size === 0) return;
    const nested = new Set<bigint>();
    const covered = new Map<bigint, bigint>();
    const roots = new Set([...filter.list()].map(({ cgroupId }) => cgroupId));
    // The ids were taken before the search: a cgroup that is made during it has another id.
    const waiting: WaitingDirectory[] = [{ path: cgroupRoot, isNested: false, above: undefined }];
    let wasSeen = true;
    /** Returns whether there are more directories. */
    const searchSlice = (): boolean => {
      for (let done = 0; done < sliceSize; done++) {
        const directory = waiting.pop();
        if (directory === undefined) return false;
        const { path, ...of } = directory;
        const id = readId(path) ?? 0n;
        if (missing.delete(id)) {
          if (of.isNested) nested.add(id);
          else if (of.above !== undefined) covered.set(id, of.above);
        }
        const isNested = of.isNested || roots.has(id);
        const above = of.above ?? (inherited.has(id) ? id : undefined);
        for (const child of listDirectories(path))
          waiting.push({ path: `${path}/${child}`, isNested, above });
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
        if (wasSeen) {
          filter.removeInherited(missing.union(nested));
          filter.removeCovered(covered);
        }
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

/** Undefined for a directory that does not exist; throws on other errors. No cgroup has the id 0. */
const readId = (directory: string): bigint | undefined =>
  lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino;
