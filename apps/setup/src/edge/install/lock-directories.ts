// SPDX-License-Identifier: Apache-2.0
// A lock on a directory, held by one run of this program at a time. It is flock(2) on a file that only root can open,
// because any user can lock a readable directory. The kernel releases the lock of a killed process.

import { constants } from "node:fs";
import { type FileHandle, open, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { openSyscalls, type Syscalls } from "@rthooks/sys/syscall";
import { describeFileError } from "./install-error.ts";
import { removeLeftovers } from "./place-file.ts";

const LOCK_FILE = ".tetragon-oci-hook-setup.lock";
/** Longer than an installation on a slow disk. */
const WAIT_MS = 60_000;
const RETRY_MS = 50;

export interface DirectoryLocks {
  release(): Promise<void>;
}

export interface LockedDirectory {
  readonly path: string;
  /** Completes the error for a read-only file system. */
  readonly remedy?: string;
}

/**
 * Locks existing directories, and removes the staged files of killed runs: under the lock none is in use. The error is
 * one line.
 */
export async function lockDirectories(
  directories: readonly LockedDirectory[],
): Promise<Result<DirectoryLocks, string>> {
  const held: { readonly file: FileHandle; readonly path: string }[] = [];
  const release = async (): Promise<void> => {
    for (const { file, path } of held.splice(0).reverse()) {
      await rm(path, { force: true });
      await file.close();
    }
  };
  for (const [directory, remedy] of await toDistinct(directories)) {
    try {
      const path = join(directory, LOCK_FILE);
      const file = await lockFile(path);
      if (file === undefined) {
        await release();
        return err(`${directory} is locked by another run of this program: retry when it has ended`);
      }
      held.push({ file, path });
      removeLeftovers(directory);
    } catch (error) {
      await release();
      return err(describeFileError(error, directory, remedy));
    }
  }
  return ok({ release });
}

/** Each directory once, in the same order in every run, so that two runs cannot deadlock. */
async function toDistinct(
  directories: readonly LockedDirectory[],
): Promise<readonly (readonly [path: string, remedy: string])[]> {
  const found = new Map<string, string>();
  for (const { path, remedy = "" } of directories) {
    const real = await realpath(path).catch(() => path);
    if (!found.has(real)) found.set(real, remedy);
  }
  return [...found].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

async function lockFile(path: string): Promise<FileHandle | undefined> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    // The holder of the lock removes the file on release, so the path may be another file now.
    if (tryLock(file.fd, path, "exclusive") && (await isAt(file, path))) return file;
    await file.close();
    if (performance.now() > deadline) return undefined;
    await Bun.sleep(RETRY_MS);
  }
}

async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const [own, found] = [await file.stat(), await stat(path).catch(() => undefined)];
  return found !== undefined && found.ino === own.ino && found.dev === own.dev;
}

let syscalls: Syscalls | undefined;

/** flock(2), include/uapi/asm-generic/fcntl.h: LOCK_SH, LOCK_EX, LOCK_NB. */
const modes = { shared: 1 | 4, exclusive: 2 | 4 } as const; // const: the keys are a union

/** Takes the lock without waiting; false if another process has a conflicting lock. */
export function tryLock(fd: number, path: string, mode: keyof typeof modes): boolean {
  syscalls ??= openSyscalls();
  const locked = syscalls.call("flock", path, fd, modes[mode]);
  if (locked.ok) return true;
  if (locked.error.code === "EAGAIN") return false;
  throw new Error(`flock ${path}: ${locked.error.code}`);
}
