// SPDX-License-Identifier: Apache-2.0
// What a daemonized install does until its end: it looks whether its files are as it has left them, says what was
// changed or removed, and puts it back. The files of a directory that a later run has taken are that run's.

import { type BigIntStats, lstatSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import type { Result } from "@rthooks/result";
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

export function keepInstalled(parts: readonly InstalledPart[], binaryName: string, log: Logger): Keeper {
  const kept = parts.map((part) => keepPart(part, binaryName, log));
  return {
    async stop() {
      const left = await Promise.all(kept.map((one) => one.stop()));
      return left.filter((part) => part !== undefined);
    },
  };
}

function keepPart(
  installed: InstalledPart,
  binaryName: string,
  log: Logger,
): { stop(): Promise<InstalledPart | undefined> } {
  const { directory, inDirectory, restore } = installed;
  const stopping = Promise.withResolvers<void>();
  let isStopping = false;
  let isOwn = true;
  let { mark, files } = installed;
  let before = look(files);

  const mend = async (): Promise<Result<void, string>> =>
    inDirectory(async () => {
      const owner = await mark.find();
      if (owner === "another") {
        isOwn = false;
        await removeReleasedMark(directory, binaryName);
        log.warn("another run has installed or uninstalled here: these files are not watched any more", {
          path: directory,
        });
        return { ok: true, value: undefined };
      }
      const changed = files.filter((path, at) => describeFile(path) !== before[at]);
      if (owner === "own" && changed.length === 0) return { ok: true, value: undefined };
      log.warn("installed files were changed or removed: they are put back", {
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
      return { ok: true, value: undefined };
    });

  const run = async (): Promise<void> => {
    let waitMs = MIN_WAIT_MS;
    while (isOwn) {
      await Promise.race([Bun.sleep(waitMs), stopping.promise]);
      if (isStopping) return;
      if ((await mark.find()) === "own" && isSame(look(files), before)) {
        waitMs = Math.max(MIN_WAIT_MS, waitMs / 2);
        continue;
      }
      const mended = await mend().catch((error: unknown) => ({ ok: false, error: String(error) }) as const); // const: ok tells the two apart
      if (!mended.ok) log.error("installed files cannot be put back", { path: directory, err: mended.error });
      waitMs = Math.min(MAX_WAIT_MS, waitMs * 2);
    }
  };
  const running = run();

  return {
    async stop() {
      isStopping = true;
      stopping.resolve();
      await running;
      return isOwn ? { ...installed, mark, files } : undefined;
    },
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
