// SPDX-License-Identifier: Apache-2.0
// Cgroups that an earlier agent has left in the maps and nobody has told of since: those that are gone are taken out.

import { lstatSync } from "node:fs";
import { listDirectories } from "../../base/edge/list-directories.ts";
import type { PolicyFilter } from "../core/policy-filter.ts";

type Inheritance = Pick<PolicyFilter, "inheritedCgroupIds" | "removeInherited">;

/** Directories in one go: a stat costs about 4 µs, and hook calls wait meanwhile. */
const sliceSize = 100;

export interface InheritedSweepOptions {
  readonly filter: Inheritance;
  readonly cgroupRoot: string;
  /** Whether the hierarchy at the root is still the agent's: what another one lacks is not gone. */
  isSeen(): boolean;
  readonly intervalMs: number;
}

/** Looks at the whole hierarchy, as long as something is left. Gives the function that ends it. */
export function sweepInherited(options: InheritedSweepOptions): () => void {
  const { filter, cgroupRoot, isSeen, intervalMs } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let slice: ReturnType<typeof setImmediate> | undefined;
  const begin = (): void => {
    const left = new Set(filter.inheritedCgroupIds());
    if (left.size === 0) return;
    // Begun before the walk: what is made meanwhile may have any id, but none of those that are looked for.
    const waiting = [cgroupRoot];
    let wasSeen = true;
    /** Whether there is more to look at. */
    const look = (): boolean => {
      for (let done = 0; done < sliceSize; done++) {
        const directory = waiting.pop();
        if (directory === undefined) return false;
        const id = readId(directory);
        if (id !== undefined) left.delete(id);
        for (const child of listDirectories(directory)) waiting.push(`${directory}/${child}`);
      }
      return true;
    };
    const step = (): void => {
      try {
        const hasMore = look();
        wasSeen &&= isSeen();
        if (hasMore && wasSeen) {
          slice = setImmediate(step);
          return;
        }
        if (wasSeen) filter.removeInherited(left);
      } catch {
        // A cgroup that could not be looked at may be any of them: not now.
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

/** Undefined for one that is gone; throws where nothing can be said. */
const readId = (directory: string): bigint | undefined =>
  lstatSync(directory, { bigint: true, throwIfNoEntry: false })?.ino;
