// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all: all bytes are written beside the place under a name of their own, made
// durable, and renamed. On an error the place has what it had.

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
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { type SysError, toSysErrorOf } from "./errno.ts";

export interface FileOptions {
  /** As chmod(2) takes it; the file never has more, whatever the umask is. */
  readonly mode: number;
  /** The caller's own where there is none. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface StagedFile {
  /** Where it is until it is published. */
  readonly path: string;
  /** Renames it into its place. The error EIO after the rename means that the change may not outlast a power failure. */
  publish(): Result<void, SysError>;
  discard(): void;
}

/** What a directory's staged files begin with. They end in hexadecimal digits: no reader of `*.json` takes one. */
const STAGED = ".tetragon-staged-";
/** Of the target's name, which may be as long as a name can be (NAME_MAX, 255 bytes). */
const MAX_NAME_IN_STAGED = 40;

const prefixOf = (path: string): string => `${STAGED}${basename(path).slice(0, MAX_NAME_IN_STAGED)}.`;

/** Bytes, or a function that writes them itself, for what is better not held in memory. */
export type Content = string | Uint8Array | ((fd: number) => void);

/** Written and durable, but not in its place yet. */
export function stageFile(
  path: string,
  content: Content,
  options: FileOptions,
): Result<StagedFile, SysError> {
  const staged = join(dirname(path), `${prefixOf(path)}${randomBytes(6).toString("hex")}`);
  const discard = (): void => rmSync(staged, { force: true });
  return attempt("write", path, () => {
    try {
      writeNew(staged, content, options);
    } catch (error) {
      discard();
      throw error;
    }
    return { path: staged, discard, publish: () => publish(staged, path) };
  });
}

/** Puts the content in the place of what is there. Staged files of the same target that were left are removed. */
export function replaceFile(path: string, content: Content, options: FileOptions): Result<void, SysError> {
  // What cannot be listed or removed is not in the way: each staged file has a name of its own.
  removeStaged(dirname(path), { minAgeMs: 0, target: path });
  const replaceOnce = (): Result<void, SysError> => {
    const staged = stageFile(path, content, options);
    return staged.ok ? staged.value.publish() : staged;
  };
  const replaced = replaceOnce();
  // Another writer of the same target, at work at the same time, may have taken the staged file for one that was left.
  return !replaced.ok && replaced.error.code === "ENOENT" ? replaceOnce() : replaced;
}

/** Gone also after a power failure; a file that does not exist is not an error. */
export function removeFile(path: string): Result<void, SysError> {
  return attempt("unlink", path, () => {
    withDirectory(path, () => rmSync(path, { force: true }));
  });
}

/**
 * Removes what was staged in the directory and never published, because its writer was killed. Give an age where others
 * may be staging files there now.
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
      // A clock that was set back must not keep one for good.
      const isOld = found?.isFile() === true && Math.abs(Date.now() - found.mtimeMs) >= minAgeMs;
      if (isOld) rmSync(path, { force: true });
    }
  });
}

/** All of the bytes: write(2) may take fewer, and on a full disk it does before it fails. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(fd, bytes, done, bytes.length - done);
    if (written === 0) throw new Error("nothing is written");
    done += written;
  }
}

function writeNew(path: string, content: Content, { mode, owner }: FileOptions): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, mode & 0o700);
  try {
    // The owner first: the mode's bits for group and others are meant for those of the new owner.
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode);
    if (typeof content === "function") content(fd);
    else {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      writeAll(fd, bytes);
    }
    fsyncSync(fd);
  } finally {
    // Network file systems may say only here that the bytes have no room; fsync(2) has asked before.
    closeSync(fd);
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

/** Makes a change of the directory's names durable. It is opened first: what cannot be made durable is not begun. */
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
