// SPDX-License-Identifier: Apache-2.0
// What a daemonized install does until its end: it looks whether its files are as it has left them, says what was
// changed or removed, and puts it back. The files of a directory that a later run has taken are that run's.

import { type BigIntStats, lstatSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { claimFiles, type OwnerMark, removeReleasedMark } from "./owner-mark.ts";

/** The files of one directory. */
export interface InstalledPart {
  readonly directory: string;
  readonly mark: OwnerMark;
  readonly files: readonly string[];
  /** Makes the directory where it is missing; runs `work` under its lock. */
  inDirectory(work: () => Promise<Result<void, string>>): Promise<Result<void, string>>;
  /** Under the directory's lock. Changes only files that are not as they should be. */
  restore(): Promise<Result<readonly string[], string>>;
}

export interface Keeper {
  /** Nothing is put back any more; gives the parts that are still this run's, with their marks. */
  stop(): Promise<readonly InstalledPart[]>;
}

/** Between two looks. Where files do not stay as they are put, less and less often: another program writes them. */
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

/** `parts` in the order in which they are put back: what is called before what calls it. */
export function keepInstalled(parts: readonly InstalledPart[], binaryName: string, log: Logger): Keeper {
  const kept = parts.map((part) => createKept(part, binaryName, log));
  const stopping = Promise.withResolvers<void>();
  let isStopping = false;

  /** Whether all was well, without a change. */
  const lookOnce = async (): Promise<boolean> => {
    let wasWhole = true;
    for (const part of kept) {
      if (await part.isWhole()) continue;
      wasWhole = false;
      const mended = await part.mend().catch((error: unknown) => err(describeError(error)));
      if (mended.ok) continue;
      log.error("cannot restore installed files", { path: part.directory, err: mended.error });
      break;
    }
    return wasWhole;
  };
  const run = async (): Promise<void> => {
    let waitMs = MIN_WAIT_MS;
    for (;;) {
      await Promise.race([Bun.sleep(waitMs), stopping.promise]);
      if (isStopping) return;
      waitMs = (await lookOnce()) ? Math.max(MIN_WAIT_MS, waitMs / 2) : Math.min(MAX_WAIT_MS, waitMs * 2);
    }
  };
  const running = run();

  return {
    async stop() {
      isStopping = true;
      stopping.resolve();
      await running;
      return kept.map((part) => part.own()).filter((part) => part !== undefined);
    },
  };
}

interface KeptPart {
  readonly directory: string;
  isWhole(): Promise<boolean>;
  mend(): Promise<Result<void, string>>;
  /** Undefined when a later run has taken the files. */
  own(): InstalledPart | undefined;
}

function createKept(installed: InstalledPart, binaryName: string, log: Logger): KeptPart {
  const { directory, inDirectory, restore } = installed;
  let isOwn = true;
  let { mark, files } = installed;
  let before = look(files);
  return {
    directory,
    own: () => (isOwn ? { ...installed, mark, files } : undefined),
    isWhole: async () => !isOwn || ((await mark.find()) === "own" && isSame(look(files), before)),
    mend: () =>
      inDirectory(async () => {
        const owner = await mark.find();
        if (owner === "another") {
          isOwn = false;
          await removeReleasedMark(directory, binaryName);
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
          mark = await claimFiles(directory, binaryName);
        }
        before = look(files);
        return ok(undefined);
      }),
  };
}

const look = (files: readonly string[]): readonly string[] => files.map(describeFile);

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((text, at) => text === other[at]);

/** Another file at the path, another content, owner or mode make another text. */
function describeFile(path: string): string {
  let stat: BigIntStats | undefined;
  try {
    stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // A directory above it is gone, or has become a file.
  }
  if (stat === undefined) return "absent";
  const { dev, ino, size, mtimeNs, mode, uid, gid } = stat;
  return [dev, ino, size, mtimeNs, mode, uid, gid].join(":");
}
