// SPDX-License-Identifier: Apache-2.0
// A log file that grows and is rotated: hands over each line once. The hook that finds the log full renames it, and hooks
// that have it open append to the renamed file (docs/adr/0003), so that one is read for a while too. Nothing here blocks:
// what is not a regular file is not opened, and symlinks are not followed, as the hook and the agent's export do not follow
// them.

import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseBackupTime } from "@rthooks/hold/backup-name";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { isMissing } from "@rthooks/sys/is-missing";
import { type LogReader, type LogReaderOptions, openLogReader, toFileId } from "./log-reader.ts";

interface LogLook {
  /** There is more to read. */
  readonly hasMore: boolean;
  /** Why the log cannot be followed, in one line; empty where it can, or does not exist yet. */
  readonly problem: string;
}

export interface FollowedLog {
  /** Reads what is new. One at a time; does not throw. */
  look(): Promise<LogLook>;
  close(): Promise<void>;
}

/** For hooks that opened the log before it was renamed: they write at once. */
const RENAMED_MS = 10_000;
/** Open at the same time: the three backups that the hook keeps, and some that it has removed. */
const MAX_RENAMED = 8;

interface RenamedLog {
  readonly reader: LogReader;
  readonly sinceMs: number;
  /** Closed, but its file is still known. */
  readonly isClosed: boolean;
}

/** `tail` is about a file that exists already at the first look. */
export function followLog(path: string, options: LogReaderOptions): FollowedLog {
  let current: LogReader | undefined;
  /** A file at the path is one that was made since the first look. */
  let isNew = false;
  /** The last look at the path, in Unix time. */
  let lookedMs = 0;
  /** The oldest first. */
  let renamed: readonly RenamedLog[] = [];

  const keepRenamed = (reader: LogReader | undefined): void => {
    if (reader !== undefined) renamed = [...renamed, { reader, sinceMs: performance.now(), isClosed: false }];
  };

  const openReader = async (file: string): Promise<Result<LogReader, string>> => {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const stats = await handle.stat({ bigint: true });
      const tail = isNew ? { bytes: Number.POSITIVE_INFINITY } : options.tail;
      if (stats.isFile()) return ok(await openLogReader(handle, stats, { ...options, tail }));
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return err(notRegular);
  };

  /** Files that were the log between two looks: they were renamed since, and their names have the second of that. */
  const openSkipped = async (): Promise<void> => {
    const sinceMs = Math.floor(lookedMs / 1000) * 1000;
    const backups = (await readdir(dirname(path)))
      .map((name) => ({ file: join(dirname(path), name), timeMs: parseBackupTime(path, name) }))
      .filter(({ timeMs }) => timeMs >= sinceMs)
      .toSorted((a, b) => a.timeMs - b.timeMs);
    for (const { file } of backups.slice(-MAX_RENAMED)) {
      const stats = await lstatOf(file);
      if (stats?.isFile() !== true || renamed.some(({ reader }) => reader.id === toFileId(stats))) continue;
      const opened = await openReader(file);
      if (opened.ok) keepRenamed(opened.value);
    }
  };

  /** Opens the file at the path if it is another one than `current`. The text says why it cannot. */
  const find = async (): Promise<string> => {
    const nowMs = Date.now();
    const stats = await lstatOf(path);
    const isSame = stats !== undefined && current?.id === toFileId(stats);
    if (!isSame) {
      keepRenamed(current);
      isNew ||= stats === undefined || current !== undefined;
      current = undefined;
    }
    let problem = "";
    if (stats === undefined) {
      if ((await lstatOf(dirname(path))) === undefined) problem = "its directory does not exist";
    } else if (!stats.isFile()) {
      problem = stats.isSymbolicLink() ? "it is a symbolic link" : notRegular;
    } else if (!isSame) {
      if (isNew) await openSkipped();
      const opened = await openReader(path);
      if (opened.ok) current = opened.value;
      else problem = opened.error;
    }
    lookedMs = nowMs;
    return problem;
  };

  /** In the order of the files: the next one waits for the end of those before it. */
  const readAll = async (): Promise<boolean> => {
    for (const { reader, isClosed } of renamed) {
      if (!isClosed && (await reader.read())) return true;
    }
    return (await current?.read()) ?? false;
  };

  /** After a look at the path, which must not find a file again that was read. */
  const closeOld = async (): Promise<void> => {
    const open = renamed.filter(({ isClosed }) => !isClosed);
    const isOld = ({ sinceMs }: RenamedLog): boolean => performance.now() - sinceMs > RENAMED_MS;
    const over = open.filter((one, index) => isOld(one) || index < open.length - MAX_RENAMED);
    renamed = renamed
      .filter((one) => !isOld(one))
      .map((one) => (over.includes(one) ? { ...one, isClosed: true } : one));
    for (const { reader } of over) await reader.close();
  };

  return {
    async look() {
      try {
        const problem = await find();
        const hasMore = await readAll();
        if (!hasMore) await closeOld();
        return { hasMore, problem };
      } catch (error) {
        return { hasMore: false, problem: describeError(error) };
      }
    },
    async close() {
      for (const { reader, isClosed } of renamed) if (!isClosed) await reader.close();
      await current?.close();
    },
  };
}

const notRegular = "it is not a regular file";

async function lstatOf(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
