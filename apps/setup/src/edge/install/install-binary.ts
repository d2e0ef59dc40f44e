// SPDX-License-Identifier: Apache-2.0
// Installs the hook binary. The previous binary stays in place until the new one was run on the host, and is restored
// if a later step fails.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { type StagedFile, stageCopy } from "@rthooks/sys/atomic-file";
import { isNewer } from "../../core/version-order.ts";
import { type BinarySetup, toCheckDir } from "./binary-setup.ts";
import { removeLibcs } from "./bundled-libc.ts";
import { findHookVersion } from "./check-hook.ts";
import { describeFileError, otherInstallDir } from "./install-error.ts";
import { orThrow, type PublishedFile, publishUndoable } from "./place-file.ts";
import { type InstalledProgram, isLoaderInUse } from "./references.ts";
import { type BundledLibc, libcPrefix, makeRunnable, undoAll } from "./runnable-hook.ts";
import { isSafeFile } from "./safe-path.ts";

const MODE = 0o755;

export interface InstalledBinary {
  /** The command by which the host runs the hook. */
  readonly command: readonly [string, ...string[]];
  readonly localPath: string;
  /** All installed files: the hook, and the bundled C library if there is one. */
  readonly files: readonly string[];
  /** For the runtime's own time limit. */
  readonly timeoutSeconds: number;
  /** Restores the previous files. */
  undo(): Promise<void>;
  /** Removes the previous files. */
  settle(): Promise<void>;
}

/** Needs an existing directory and its lock. The error is one line. */
export async function installBinary(setup: BinarySetup): Promise<Result<InstalledBinary, string>> {
  const { source, localDir } = setup;
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) return err(`${source}: no such file; set --local-binary to the hook to install`);
  if (!found.isFile() || found.size === 0) return err(`${source} is not a regular file, or is empty`);
  let staged: StagedFile | undefined;
  try {
    const path = join(localDir, basename(source));
    staged = orThrow(await stageCopy(source, path, { mode: MODE }));
    const installed = await installStaged(setup, staged, path);
    if (!installed.ok) staged.discard();
    return installed;
  } catch (error) {
    staged?.discard();
    return err(describeFileError(error, localDir, otherInstallDir));
  }
}

async function installStaged(
  setup: BinarySetup,
  staged: StagedFile,
  path: string,
): Promise<Result<InstalledBinary, string>> {
  const { source, localDir, hostDir, log } = setup;
  if ((await digestOf(staged.path)) !== (await digestOf(source))) {
    return err(`${staged.path} differs from ${source} after the copy: check the disk`);
  }
  const runnable = await makeRunnable(setup, staged);
  if (!runnable.ok) return runnable;
  const { libc, checked } = runnable.value;
  const { version, timeoutSeconds } = checked;
  const newer = setup.force ? undefined : await findNewer(setup, path, version, libc);
  if (newer !== undefined) {
    await undoAll(libc?.published);
    return err(`${path} is version ${newer}, newer than ${version}: --force replaces it anyway`);
  }
  const isSame = (await hasInstalledMode(path)) && (await digestOf(path)) === (await digestOf(staged.path));
  let published: PublishedFile | undefined;
  if (isSame) staged.discard();
  else published = publishUndoable(staged);
  log.info(isSame ? "binary is up to date" : "written binary", { "hook-dst-path": path, version });
  const [first = "", ...rest] = [...libcPrefix(libc, hostDir), join(hostDir, basename(path))];
  return ok({
    command: [first, ...rest],
    localPath: path,
    files: [path, ...(libc?.files ?? [])],
    timeoutSeconds,
    async undo() {
      await published?.undo();
      await undoAll(libc?.published);
    },
    async settle() {
      await published?.settle();
      for (const file of libc?.published ?? []) await file.settle();
      await removeLibcs(localDir, async (loader) => {
        if (libc?.files.includes(loader) === true) return true;
        const toProgram = (local: string): InstalledProgram => ({
          localPath: local,
          hostPath: join(hostDir, basename(local)),
          hostRoot: setup.hostRoot,
        });
        return isLoaderInUse(toProgram(path), toProgram(loader));
      });
    },
  });
}

/** The version of the installed hook, if it is newer than `version`. A file of another user is not run. */
async function findNewer(
  setup: BinarySetup,
  path: string,
  version: string,
  libc: BundledLibc | undefined,
): Promise<string | undefined> {
  if (!isSafeFile(path)) return undefined;
  const directory = toCheckDir(setup);
  const command = [...libcPrefix(libc, directory), join(directory, basename(path))];
  const existing = await findHookVersion(setup.hostRoot, command);
  return existing !== undefined && isNewer(existing, version) ? existing : undefined;
}

/** Whether the file has the owner and mode of an installed hook: others must not be able to write it. */
async function hasInstalledMode(path: string): Promise<boolean> {
  return isSafeFile(path) && ((await stat(path)).mode & 0o7777) === MODE;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}
