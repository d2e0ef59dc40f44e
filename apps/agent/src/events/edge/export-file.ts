// SPDX-License-Identifier: Apache-2.0
// The file of the export: lines are added until it has its size, then it gets a name with the time and a new file begins.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ExportFileSettings } from "../core/export-settings.ts";
import { findBackupName, removeStaged, tidyBackups } from "./export-backups.ts";

export interface ExportFile {
  /** Writes whole lines, all or none. The error is one line. */
  write(lines: Uint8Array): Result<void, string>;
  /** Begins a new file, if this one has lines. */
  rotate(): Result<void, string>;
  close(): void;
}

/** A link in the place of the file is not followed, and opening a FIFO does not wait. */
const openFlags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `nowMs`: Unix time. `onError`: what went wrong beside a write, such as the end of an old file. */
export function openExportFile(
  options: ExportFileSettings,
  nowMs: () => number,
  onError: (error: string) => void,
): Result<ExportFile, string> {
  const { path, maxBytes } = options;
  let file: OpenFile | undefined;

  const closeFile = (): void => {
    const closed = file;
    file = undefined;
    if (closed === undefined) return;
    try {
      closeSync(closed.fd);
    } catch (error) {
      // Its lines may be lost, such as on NFS; the descriptor is free.
      onError(`cannot close ${path}: ${describeError(error)}`);
    }
  };
  const open = (): Result<OpenFile, string> => {
    if (file !== undefined && isStillThere(path, file)) return ok(file);
    closeFile();
    const opened = openFile(path, options.mode);
    if (opened.ok) file = opened.value;
    return opened;
  };

  const rotate = (): Result<void, string> => {
    const opened = open();
    if (!opened.ok) return opened;
    if (opened.value.bytes === 0) return ok(undefined);
    try {
      const target = findBackupName(path, nowMs());
      renameSync(path, target);
      closeFile();
      tidyBackups(options, target, onError);
    } catch (error) {
      return err(`cannot rotate ${path}: ${describeError(error)}`);
    }
    const next = open();
    return next.ok ? ok(undefined) : next;
  };

  const write = (lines: Uint8Array): Result<void, string> => {
    const found = open();
    if (!found.ok) return found;
    if (found.value.bytes > 0 && found.value.bytes + lines.length > maxBytes) {
      const rotated = rotate();
      // Too large is better than lost.
      if (!rotated.ok) onError(rotated.error);
    }
    const opened = open();
    return opened.ok ? writeLines(path, opened.value, lines) : opened;
  };

  const first = open();
  if (!first.ok) return first;
  removeStaged(path, onError);
  return ok({
    write,
    rotate,
    close: closeFile,
  });
}

interface OpenFile {
  readonly fd: number;
  readonly inode: bigint;
  bytes: number;
}

function openFile(path: string, mode: number): Result<OpenFile, string> {
  let fd: number;
  try {
    fd = openSync(path, openFlags, mode);
  } catch (error) {
    const isLink = error instanceof Error && "code" in error && error.code === "ELOOP";
    return err(`cannot open ${path}: ${isLink ? "it is a symbolic link" : describeError(error)}`);
  }
  try {
    const found = fstatSync(fd, { bigint: true });
    if (!found.isFile()) throw new Error("it is not a regular file");
    fchmodSync(fd, mode);
    return ok({ fd, inode: found.ino, bytes: Number(found.size) });
  } catch (error) {
    closeSync(fd);
    return err(`cannot use ${path}: ${describeError(error)}`);
  }
}

/** False where another program has moved or removed it, or where its path cannot be used. It may also be shorter now. */
function isStillThere(path: string, file: OpenFile): boolean {
  try {
    const found = lstatSync(path, { bigint: true });
    if (found.ino !== file.inode) return false;
    file.bytes = Number(found.size);
    return true;
  } catch {
    return false;
  }
}

function writeLines(path: string, file: OpenFile, lines: Uint8Array): Result<void, string> {
  let done = 0;
  try {
    while (done < lines.length) {
      const written = writeSync(file.fd, lines, done);
      if (written === 0) throw new Error("write(2) wrote no bytes");
      done += written;
    }
    file.bytes += done;
    return ok(undefined);
  } catch (error) {
    if (done > 0) cutEnd(file, done);
    return err(`cannot write ${path}: ${describeError(error)}`);
  }
}

/** A part of a line would make the next one unreadable. */
function cutEnd({ fd }: OpenFile, bytes: number): void {
  try {
    ftruncateSync(fd, fstatSync(fd).size - bytes);
  } catch {
    // A disk that fails may refuse this too: the error of the write is reported.
  }
}
