// SPDX-License-Identifier: Apache-2.0
// Keeps the files of `install --daemonize`: checks them when their directories change, logs a change or removal, and
// restores them. The files of a directory that a later run has claimed are not kept any longer.

import { type BigIntStats, lstatSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { repeatLook } from "@rthooks/sys/repeated-look";
import type { OwnerMark } from "./owner-mark.ts";

/** The files of one directory. */
export interface InstalledPart {
  readonly directory: string;
  readonly mark: OwnerMark;
  readonly files: readonly string[];
  /** Writes the mark again, after it was lost. Needs the directory's lock. */
  claim(): Promise<OwnerMark>;
  /** Removes a mark without an owner. Needs the directory's lock. */
  removeReleasedMark(): Promise<void>;
  /** Creates the directory if it is missing, and runs `work` under its lock. */
  inDirectory(work: () => Promise<Result<void, string>>): Promise<Result<void, string>>;
  /** Needs the directory's lock. Writes the files that differ, and returns all paths. */
  restore(): Promise<Result<readonly string[], string>>;
}

export interface Keeper {
  /** Stops keeping the files; returns the parts that this run still owns, with their marks. */
  stop(): Promise<readonly InstalledPart[]>;
  /** One line on a part that this run owns and that is not as installed; empty if there is none. */
  findProblem(): Promise<string>;
}

/** Between two checks at least. Doubled after each restore up to the maximum, because another program may write the files. */
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Between two checks at most, while no directory reports a change. */
const QUIET_WAIT_MS = 5_000;

/** `parts` are restored in their order: the hook before the hook file that calls it. */
export function keepInstalled(parts: readonly InstalledPart[], log: Logger): Keeper {
  const kept = parts.map((part) => createKept(part, log));
  const directories = openDirectoryWatch();
  let waitMs = MIN_WAIT_MS;

  /** True if no file had changed. */
  const checkOnce = async (): Promise<boolean> => {
    let wasUnchanged = true;
    for (const part of kept) {
      if (await part.isUnchanged()) continue;
      wasUnchanged = false;
      const restored = await part.restoreChanged().catch((error: unknown) => err(describeError(error)));
      if (restored.ok) continue;
      log.error("cannot restore installed files", { path: part.directory, err: restored.error });
      break;
    }
    return wasUnchanged;
  };
  const checks = repeatLook({
    directories,
    times: {
      get activeMs() {
        return waitMs;
      },
      watchedMs: QUIET_WAIT_MS,
      unwatchedMs: MIN_WAIT_MS,
    },
    paths: () => kept.flatMap((part) => part.paths()),
    async look() {
      const isUnchanged = await checkOnce();
      waitMs = isUnchanged ? Math.max(MIN_WAIT_MS, waitMs / 2) : Math.min(MAX_WAIT_MS, waitMs * 2);
      return isUnchanged ? "quiet" : "active";
    },
  });

  return {
    async findProblem() {
      for (const part of kept) {
        if (!(await part.isUnchanged()))
          return `installed files in ${part.directory} were changed or removed`;
      }
      return "";
    },
    async stop() {
      await checks.close();
      directories.close();
      return kept.map((part) => part.own()).filter((part) => part !== undefined);
    },
  };
}

interface KeptPart {
  readonly directory: string;
  /** What to watch. The owner mark is in the directory. */
  paths(): readonly string[];
  isUnchanged(): Promise<boolean>;
  restoreChanged(): Promise<Result<void, string>>;
  /** Undefined if a later run owns the files. */
  own(): InstalledPart | undefined;
}

function createKept(installed: InstalledPart, log: Logger): KeptPart {
  const { directory, inDirectory, restore } = installed;
  let isOwn = true;
  let { mark, files } = installed;
  let before = describeFiles(files);
  return {
    directory,
    paths: () => (isOwn ? [directory, ...files] : []),
    own: () => (isOwn ? { ...installed, mark, files } : undefined),
    isUnchanged: async () =>
      !isOwn || ((await mark.find()) === "own" && isSame(describeFiles(files), before)),
    restoreChanged: () =>
      inDirectory(async () => {
        const owner = await mark.find();
        if (owner === "another") {
          isOwn = false;
          await installed.removeReleasedMark();
          log.warn(
            "another run has installed or uninstalled in this directory: no longer watching its files",
            {
              path: directory,
            },
          );
          return ok(undefined);
        }
        const changed = files.filter((path, at) => describeFile(path) !== before[at]);
        if (owner === "own" && changed.length === 0) return ok(undefined);
        log.warn("installed files were changed or removed: restoring them", {
          path: changed.length === 0 ? directory : changed.join(", "),
        });
        const restored = await restore();
        if (!restored.ok) return restored;
        files = restored.value;
        if (owner === "absent") {
          await mark.close();
          mark = await installed.claim();
        }
        before = describeFiles(files);
        return ok(undefined);
      }),
  };
}

const describeFiles = (files: readonly string[]): readonly string[] => files.map(describeFile);

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((text, at) => text === other[at]);

/** A text that differs if the file, its content, its owner or its mode changes. */
function describeFile(path: string): string {
  let stat: BigIntStats | undefined;
  try {
    stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // A parent directory was removed, or is a file now.
  }
  if (stat === undefined) return "absent";
  const { dev, ino, size, mtimeNs, mode, uid, gid } = stat;
  return [dev, ino, size, mtimeNs, mode, uid, gid].join(":");
}
