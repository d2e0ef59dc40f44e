// SPDX-License-Identifier: Apache-2.0
// Installs the hook binary. The previous binary stays in place until the new one was run on the host, and is restored
// if a later step fails.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { type StagedFile, stageCopy } from "@rthooks/sys/atomic-file";
import { isNewer } from "../../core/version-order.ts";
import { findMountOptions } from "../mount-options.ts";
import { findLibc, installLibc, removeLibcs, toLibcPrefix } from "./bundled-libc.ts";
import { type CheckedHook, checkHook, findHookVersion } from "./check-hook.ts";
import { describeFileError, otherInstallDir } from "./install-error.ts";
import { orThrow, type PublishedFile, publishUndoable } from "./place-file.ts";
import { type InstalledProgram, isLoaderInUse } from "./references.ts";
import { isSafeFile } from "./safe-path.ts";

const MODE = 0o755;

export interface BinarySetup {
  readonly source: string;
  readonly localDir: string;
  readonly hostDir: string;
  readonly hostRoot: string;
  readonly libc: "auto" | "host" | "bundled";
  readonly libcDir: string;
  readonly force: boolean;
  readonly hookArgs: readonly string[];
  readonly log: Logger;
}

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

interface BundledLibc {
  readonly digest: string;
  readonly published: readonly PublishedFile[];
  readonly files: readonly string[];
}

interface RunnableHook {
  readonly checked: CheckedHook;
  /** Undefined: the hook runs with the host's C library. */
  readonly libc: BundledLibc | undefined;
}

const libcPrefix = (libc: BundledLibc | undefined, directory: string): readonly string[] =>
  libc === undefined ? [] : toLibcPrefix(libc.digest, directory);

/** The install directory in the root in which the hook is checked. */
const findSeenDir = ({ hostRoot, localDir, hostDir }: BinarySetup): string =>
  hostRoot === "/" ? localDir : hostDir;

/** Checks the staged hook with the host's C library, then with a bundled one, as `libc` allows. */
async function makeRunnable(setup: BinarySetup, staged: StagedFile): Promise<Result<RunnableHook, string>> {
  const { libc, hostRoot, hostDir, localDir, hookArgs, log } = setup;
  if (libc === "bundled") return bundleLibc(setup, staged);
  const checked = await checkHook(hostRoot, [join(findSeenDir(setup), basename(staged.path))], hookArgs);
  if (libc === "auto" && !checked.ok && !checked.error.hasRun) {
    log.info("the host's C library cannot run the hook", { err: checked.error.message });
    return bundleLibc(setup, staged);
  }
  if (libc === "auto" && hostRoot === "/" && localDir !== hostDir) {
    log.warn("hook checked with this container's root directory, not the host's: set --host-root");
  }
  return checked.ok
    ? ok({ checked: checked.value, libc: undefined })
    : err(explain(checked.error.message, localDir));
}

async function bundleLibc(setup: BinarySetup, staged: StagedFile): Promise<Result<RunnableHook, string>> {
  const { localDir, hostDir, hostRoot, hookArgs, log } = setup;
  const source = await findLibc(setup.libcDir);
  if (!source.ok) return source;
  const { digest } = source.value;
  const libc = { digest, ...(await installLibc(source.value, localDir)) };
  const [loader] = libcPrefix(libc, hostDir);
  log.info("written C library", { loader });
  const directory = findSeenDir(setup);
  const command = [...libcPrefix(libc, directory), join(directory, basename(staged.path))];
  const checked = await checkHook(hostRoot, command, hookArgs);
  if (checked.ok) return ok({ checked: checked.value, libc });
  await undoAll(libc.published);
  return err(explain(checked.error.message, localDir));
}

async function undoAll(files: readonly PublishedFile[] = []): Promise<void> {
  for (const file of files) await file.undo();
}

/** The version of the installed hook, if it is newer than `version`. A file of another user is not run. */
async function findNewer(
  setup: BinarySetup,
  path: string,
  version: string,
  libc: BundledLibc | undefined,
): Promise<string | undefined> {
  if (!isSafeFile(path)) return undefined;
  const directory = findSeenDir(setup);
  const command = [...libcPrefix(libc, directory), join(directory, basename(path))];
  const existing = await findHookVersion(setup.hostRoot, command);
  return existing !== undefined && isNewer(existing, version) ? existing : undefined;
}

/** Whether the file has the owner and mode of an installed hook: others must not be able to write it. */
async function hasInstalledMode(path: string): Promise<boolean> {
  return isSafeFile(path) && ((await stat(path)).mode & 0o7777) === MODE;
}

function explain(message: string, localDir: string): string {
  return findMountOptions(localDir).includes("noexec")
    ? `${localDir} is on a file system mounted noexec, programs cannot run there: choose another directory with --local-install-dir and --host-install-dir`
    : message;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}
