// SPDX-License-Identifier: Apache-2.0
// Atomic replacement of files: all bytes are written to a staged file in the same directory, synced, and renamed. After an
// error the target is unchanged.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { type SysError, toSysErrorOf } from "./errno.ts";

export interface FileOptions {
  /** As for chmod(2). The umask does not apply, and the file never has more permissions. */
  readonly mode: number;
  /** Default: the process's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface StagedFile {
  /** The staged file's path until it is published. */
  readonly path: string;
  readonly target: string;
  /** Renames it to the target. EIO after the rename means that the change may be lost in a power failure. */
  publish(): Result<void, SysError>;
  discard(): void;
}

/** Prefix of staged files. Their names end in hexadecimal digits, so that readers of `*.json` ignore them. */
const STAGED = ".tetragon-staged-";
/** Characters of the target's name in a staged name: the target's may be as long as NAME_MAX (255 bytes). */
const MAX_NAME_IN_STAGED = 40;

const prefixOf = (path: string): string => `${STAGED}${basename(path).slice(0, MAX_NAME_IN_STAGED)}.`;

/** A new staged name for the target, which {@link removeStaged} finds. */
export const toStagedPath = (target: string): string =>
  join(dirname(target), `${prefixOf(target)}${randomBytes(6).toString("hex")}`);

/** The content, or a function that writes it, for content that is too large for memory. */
export type Content = string | Uint8Array | ((fd: number) => void);

/** Writes and syncs a staged file. The target is unchanged until `publish`. */
export function stageFile(
  path: string,
  content: Content,
  options: FileOptions,
): Result<StagedFile, SysError> {
  const staged = toStagedFile(path);
  return attempt("write", path, () => {
    try {
      writeNew(staged.path, content, options);
    } catch (error) {
      staged.discard();
      throw error;
    }
    return staged;
  });
}

/** As {@link stageFile}, with the content of another file. Does not block the event loop while it copies. */
export async function stageCopy(
  source: string,
  path: string,
  options: FileOptions,
): Promise<Result<StagedFile, SysError>> {
  const staged = toStagedFile(path);
  try {
    await copyNew(source, staged.path, options);
    return ok(staged);
  } catch (error) {
    staged.discard();
    return err(toSysErrorOf(error, "copy", path));
  }
}

function toStagedFile(target: string): StagedFile {
  const path = toStagedPath(target);
  return {
    path,
    target,
    publish: () => publish(path, target),
    discard: () => rmSync(path, { force: true }),
  };
}

/** Replaces the file. Left-over staged files of the same target are removed. */
export function replaceFile(path: string, content: Content, options: FileOptions): Result<void, SysError> {
  // Errors are ignored, since each staged file has a unique name.
  removeStaged(dirname(path), { minAgeMs: 0, target: path });
  const replaceOnce = (): Result<void, SysError> => {
    const staged = stageFile(path, content, options);
    return staged.ok ? staged.value.publish() : staged;
  };
  const replaced = replaceOnce();
  // A concurrent writer of the same target may have removed the staged file as a left-over.
  return !replaced.ok && replaced.error.code === "ENOENT" ? replaceOnce() : replaced;
}

/** Removes the file and syncs the directory. A missing file is not an error. */
export function removeFile(path: string): Result<void, SysError> {
  return attempt("unlink", path, () => {
    withDirectory(path, () => rmSync(path, { force: true }));
  });
}

/**
 * Removes staged files that were never published, because their writer was killed. `minAgeMs` protects the staged files of
 * other running writers.
 */
export function removeStaged(
  directory: string,
  { minAgeMs, target }: { readonly minAgeMs: number; readonly target?: string },
): Result<void, SysError> {
  const prefix = target === undefined ? STAGED : prefixOf(target);
  return attempt("readdir", directory, () => {
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(directory, name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      // The absolute difference, so that a clock that was set back does not keep a file forever.
      const isOld = found?.isFile() === true && Math.abs(Date.now() - found.mtimeMs) >= minAgeMs;
      if (isOld) rmSync(path, { force: true });
    }
  });
}

/** Writes all bytes: write(2) may write fewer, and does so on a full disk before it fails. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(fd, bytes, done, bytes.length - done);
    if (written === 0) throw new Error("write(2) wrote no bytes");
    done += written;
  }
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

function writeNew(path: string, content: Content, { mode, owner }: FileOptions): void {
  const fd = openSync(path, NEW_FILE, mode & 0o700);
  try {
    // The owner first, since the permissions of group and others are meant for the new owner's group.
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode);
    if (typeof content === "function") content(fd);
    else {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      writeAll(fd, bytes);
    }
    fsyncSync(fd);
  } finally {
    // fsync(2) has reported write errors before; on network file systems close(2) may report others.
    closeSync(fd);
  }
}

async function copyNew(source: string, path: string, { mode, owner }: FileOptions): Promise<void> {
  const from = await open(source, "r");
  try {
    const to = await open(path, NEW_FILE, mode & 0o700);
    try {
      if (owner !== undefined) await to.chown(owner.uid, owner.gid);
      await to.chmod(mode);
      await copyAll(from, to);
      await to.sync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

const PIECE_BYTES = 1024 * 1024;

async function copyAll(from: FileHandle, to: FileHandle): Promise<void> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await from.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return;
    for (let at = 0; at < bytesRead; ) at += (await to.write(piece, at, bytesRead - at)).bytesWritten;
  }
}

function publish(staged: string, path: string): Result<void, SysError> {
  return attempt("rename", path, () => {
    try {
      withDirectory(path, () => renameSync(staged, path));
    } catch (error) {
      rmSync(staged, { force: true });
      throw error;
    }
  });
}

/** Changes a directory's entries and syncs the directory. It is opened first, so that an error leaves it unchanged. */
function withDirectory(path: string, change: () => void): void {
  const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    change();
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(call: string, subject: string, action: () => T): Result<T, SysError> {
  try {
    return ok(action());
  } catch (error) {
    return err(toSysErrorOf(error, call, subject));
  }
}
