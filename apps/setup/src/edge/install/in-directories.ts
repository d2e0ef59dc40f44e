// SPDX-License-Identifier: Apache-2.0
// The directories of an installation: created, checked to be writable by root only, and locked.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { describeFileError, otherHooksDir, otherInstallDir } from "./install-error.ts";
import { type LockedDirectory, lockDirectories } from "./lock-directories.ts";
import { checkSafePath } from "./safe-path.ts";
import type { Target } from "./target.ts";

/** Creates and checks the directories, and runs `work` under their locks. The error is one line. */
export async function inDirectories<T>(
  target: Target,
  log: Logger,
  work: () => Promise<Result<T, string>>,
): Promise<Result<T, string>> {
  const directories = toDirectories(target);
  const isSafe = checkAll(target, directories);
  if (!isSafe.ok) return isSafe;
  for (const { path, remedy } of directories) {
    const made = await make(path, remedy);
    if (!made.ok) return made;
    if (made.value && path === target.hooksDir) {
      log.warn("created the hooks directory: a running runtime may need a restart to read it", {
        path,
      });
    }
  }
  // Another user may have created one of them in the meantime, below a sticky directory.
  const isStillSafe = checkAll(target, directories);
  if (!isStillSafe.ok) return isStillSafe;
  const locks = await lockDirectories(directories);
  if (!locks.ok) return locks;
  try {
    return await work();
  } finally {
    await locks.value.release();
  }
}

/** Runs `work` under the locks of the directories that exist; makes none. */
export async function inExistingDirectories(
  { localDir, hooksDir }: Target,
  work: () => Promise<Result<void, string>>,
): Promise<Result<void, string>> {
  const directories = [localDir, ...(hooksDir === undefined ? [] : [hooksDir])].filter(existsSync);
  const locks = await lockDirectories(directories.map((path) => ({ path })));
  if (!locks.ok) return locks;
  try {
    return await work();
  } finally {
    await locks.value.release();
  }
}

const toDirectories = ({ localDir, hooksDir }: Target): readonly LockedDirectory[] => [
  { path: localDir, remedy: otherInstallDir },
  ...(hooksDir === undefined ? [] : [{ path: hooksDir, remedy: otherHooksDir }]),
];

function checkAll(
  { hostRoot, hostDir }: Target,
  directories: readonly LockedDirectory[],
): Result<void, string> {
  for (const { path } of directories) {
    const isSafe = checkSafePath("/", path);
    if (!isSafe.ok) return isSafe;
  }
  return hostRoot === "/" ? ok(undefined) : checkSafePath(hostRoot, hostDir);
}

/** True if the directory was created. */
async function make(path: string, remedy: string | undefined): Promise<Result<boolean, string>> {
  if (existsSync(path)) return ok(false);
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return ok(true);
  } catch (error) {
    return err(describeFileError(error, path, remedy));
  }
}
