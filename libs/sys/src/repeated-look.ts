// SPDX-License-Identifier: Apache-2.0
// Looks at files again and again: when something changes, while something is changing, and seldom in any case.

import type { DirectoryWatch, WatchedDirectory } from "./directory-watch.ts";
import { isOnLocalFileSystem } from "./local-file-systems.ts";
import { findWatchedDirectories } from "./watched-directories.ts";

export interface LookTimes {
  /** Between two looks at least, and until the next one while a look is not quiet. */
  readonly activeMs: number;
  /** Until the next look where all changes that raise events are reported. */
  readonly watchedMs: number;
  /** Until the next look where they are not. */
  readonly unwatchedMs: number;
}

/** With the pause while something is changing, which is the caller's. */
export const toLookTimes = (activeMs: number): LookTimes => ({
  activeMs,
  watchedMs: 5000,
  unwatchedMs: Math.max(activeMs, 1000),
});

export interface LookOptions {
  readonly directories: DirectoryWatch;
  readonly times: LookTimes;
  /** The files and directories whose changes start a look. Where there are none, the first quiet look is the last. */
  paths(): Iterable<string>;
  /**
   * One at a time; must not throw. "quiet": the next look is needed only when something changes. "active": something is
   * changing, missing for a while, or cannot be read, and the next look has to come by time.
   */
  look(): Promise<"quiet" | "active">;
}

export interface RepeatedLook {
  /** The first look, which may never end on a file system that does not answer. */
  readonly first: Promise<void>;
  /** No look begins any more. Resolves when the one that is running has ended. */
  close(): Promise<void>;
}

export function repeatLook({ directories, times, paths, look }: LookOptions): RepeatedLook {
  let watched: ReadonlyMap<number, WatchedDirectory> = new Map();
  let isClosed = false;
  /** Since the last look has begun. */
  let isChanged = false;
  let endPause = (): void => {};

  const pause = async (ms: number, isEndedByChange: boolean): Promise<void> => {
    if (isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endPause = () => {
      if (!isEndedByChange && !isClosed) return;
      clearTimeout(timer);
      resolve();
    };
    await promise;
  };
  const onChange = (): void => {
    isChanged = true;
    endPause();
  };

  /** Watches what `paths` lead to now. */
  const renew = async (): Promise<{ readonly hasNew: boolean; readonly isComplete: boolean }> => {
    const wanted = await Promise.all([...paths()].map(findWatchedDirectories));
    const now = new Map<number, WatchedDirectory>();
    let isComplete = !wanted.includes(undefined);
    for (const directory of new Set(wanted.flatMap((found) => [...(found ?? [])]))) {
      const isLocal = await isOnLocalFileSystem(directory);
      if (isClosed) break;
      const added = isLocal ? directories.add(directory, onChange) : undefined;
      if (added?.ok === true) now.set(added.value.id, added.value);
      else isComplete = false;
    }
    const before = watched;
    watched = now;
    for (const [id, one] of before) if (!now.has(id) || isClosed) one.close();
    return { hasNew: [...now.keys()].some((id) => !before.has(id)), isComplete };
  };

  const lookOnce = async (): Promise<"quiet" | "active"> => {
    isChanged = false;
    return await look();
  };

  const waitForNext = async (found: "quiet" | "active"): Promise<void> => {
    if (found === "active") return pause(times.activeMs, false);
    const lookedAtMs = performance.now();
    const { hasNew, isComplete } = await renew();
    if (isClosed) return undefined;
    // What happened before a watch existed has raised no event.
    if (!hasNew && !isChanged) await pause(isComplete ? times.watchedMs : times.unwatchedMs, true);
    await pause(Math.max(0, times.activeMs - (performance.now() - lookedAtMs)), false);
  };

  const first = lookOnce();
  const run = async (): Promise<void> => {
    for (let found = await first; !isClosed; found = await lookOnce()) {
      const isOver = found === "quiet" && [...paths()].length === 0;
      if (isOver) return;
      await waitForNext(found);
      if (isClosed) break;
    }
  };
  const ended = run();

  return {
    first: first.then(() => {}),
    close() {
      isClosed = true;
      for (const one of watched.values()) one.close();
      endPause();
      return ended;
    },
  };
}
