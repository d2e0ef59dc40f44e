// SPDX-License-Identifier: Apache-2.0
// Brings the hook to its directory and proves that the host can run it, before anything points at it. What was there
// stays until then, and comes back if a later step fails.

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { toTimeoutSeconds } from "../../core/hook-file.ts";
import { isNewer, parseVersion } from "../../core/version-order.ts";
import { findMountOptions } from "../mount-options.ts";
import { findLibc, installLibc, removeLibcs, toLibcPrefix } from "./bundled-libc.ts";
import { describeFileError, otherInstallDir } from "./install-error.ts";
import { type PublishedFile, type StagedFile, stageCopy } from "./place-file.ts";
import { type InstalledProgram, isLoaderInUse } from "./references.ts";
import { runInRoot } from "./run-in-root.ts";
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
  /** How the host calls the hook. */
  readonly command: readonly [string, ...string[]];
  readonly localPath: string;
  /** All that was installed: the hook, and the C library that was brought along. */
  readonly files: readonly string[];
  /** For the runtime's own limit. */
  readonly timeoutSeconds: number;
  /** Brings back what was there. */
  undo(): Promise<void>;
  settle(): Promise<void>;
}

/** The caller has made the directory, and has its lock. */
export async function installBinary(setup: BinarySetup): Promise<Result<InstalledBinary, string>> {
  const { source, localDir } = setup;
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) return err(`${source}: no such file; set --local-binary to the hook to install`);
  if (!found.isFile() || found.size === 0) return err(`${source} is not a regular file, or is empty`);
  let staged: StagedFile | undefined;
  try {
    const path = join(localDir, basename(source));
    staged = await stageCopy(source, path, MODE);
    if ((await digestOf(staged.path)) !== (await digestOf(source))) {
      return await give(staged, `${staged.path} differs from ${source} after the copy: check the disk`);
    }
    return await install(setup, staged, path);
  } catch (error) {
    return await give(staged, describeFileError(error, localDir, otherInstallDir));
  }
}

async function give(staged: StagedFile | undefined, problem: string): Promise<Result<never, string>> {
  await staged?.discard();
  return err(problem);
}

async function install(
  setup: BinarySetup,
  staged: StagedFile,
  path: string,
): Promise<Result<InstalledBinary, string>> {
  const { localDir, hostDir, log } = setup;
  // A program that looks at no other root than its own sees the installation where it wrote it.
  const seenDir = setup.hostRoot === "/" ? localDir : hostDir;
  const toSeen = (local: string): string => join(seenDir, basename(local));
  const libcs: PublishedFile[] = [];
  const libcFiles: string[] = [];
  const takeBack = async (problem: string): Promise<Result<never, string>> => {
    for (const file of libcs) await file.undo();
    return give(staged, problem);
  };

  let prefix: readonly string[] = [];
  let checked = setup.libc === "bundled" ? undefined : await check(setup, [toSeen(staged.path)]);
  if (checked?.ok === false && !checked.error.hasRun && setup.libc === "auto") {
    log.info("the host's C library cannot run the hook", { err: checked.error.message });
    checked = undefined;
  } else if (setup.hostRoot === "/" && localDir !== hostDir && setup.libc === "auto") {
    log.warn("hook checked with this container's root directory, not the host's: set --host-root");
  }
  let digest: string | undefined;
  if (checked === undefined) {
    const libc = await findLibc(setup.libcDir);
    if (!libc.ok) return takeBack(libc.error);
    const { published, files } = await installLibc(libc.value, localDir);
    libcs.push(...published);
    libcFiles.push(...files);
    digest = libc.value.digest;
    prefix = toLibcPrefix(digest, hostDir);
    log.info("written C library", { loader: prefix[0] });
    checked = await check(setup, [...toLibcPrefix(digest, seenDir), toSeen(staged.path)]);
  }
  if (!checked.ok) return takeBack(explain(checked.error.message, localDir));

  const seenPrefix = digest === undefined ? [] : toLibcPrefix(digest, seenDir);
  // Another user's is not run to ask it.
  const existing = isSafeFile(path) ? await askVersion(setup, [...seenPrefix, toSeen(path)]) : undefined;
  const { version, timeoutSeconds } = checked.value;
  if (existing !== undefined && version !== undefined && isNewer(existing, version) && !setup.force) {
    return takeBack(`${path} is version ${existing}, newer than ${version}: --force replaces it anyway`);
  }
  const [first, ...rest] = [...prefix, join(hostDir, basename(path))];
  const command: [string, ...string[]] = [first ?? "", ...rest];
  const isSame = (await isInstalled(path)) && (await digestOf(path)) === (await digestOf(staged.path));
  let published: PublishedFile | undefined;
  if (isSame) await staged.discard();
  else published = await staged.publish();
  log.info(isSame ? "binary is up to date" : "written binary", { "hook-dst-path": path, version });
  return ok({
    command,
    localPath: path,
    files: [path, ...libcFiles],
    timeoutSeconds,
    async undo() {
      await published?.undo();
      for (const file of libcs) await file.undo();
    },
    async settle() {
      await published?.settle();
      for (const file of libcs) await file.settle();
      await removeLibcs(localDir, async (loader) => {
        if (libcFiles.includes(loader)) return true;
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

interface Checked {
  readonly version: string | undefined;
  readonly timeoutSeconds: number;
}

interface CheckFailure {
  /** The program itself has said what is wrong; a C library has no part in it. */
  readonly hasRun: boolean;
  readonly message: string;
}

/** Runs the program where and as the runtime will. */
async function check(setup: BinarySetup, command: readonly string[]): Promise<Result<Checked, CheckFailure>> {
  const { hostRoot, hookArgs } = setup;
  const asked = await runInRoot(hostRoot, [...command, "--version"]);
  const version = asked.ok && asked.value.exitCode === 0 ? parseVersion(asked.value.stdout) : undefined;
  if (version === undefined) {
    const said = asked.ok ? asked.value.stderr.trim() || `exit code ${asked.value.exitCode}` : asked.error;
    return err({ hasRun: false, message: `the hook does not run: ${firstLine(said)}` });
  }
  const printed = await runInRoot(hostRoot, [
    ...command,
    "--just-print-config",
    "--log-fname",
    "",
    ...hookArgs,
  ]);
  const timeoutSeconds = printed.ok ? toTimeoutSeconds(printed.value.stdout) : undefined;
  if (!printed.ok || printed.value.exitCode !== 0 || timeoutSeconds === undefined) {
    const said = printed.ok ? printed.value.stderr.trim() || "it printed no configuration" : printed.error;
    return err({ hasRun: true, message: `the hook rejects its arguments: ${firstLine(said)}` });
  }
  return ok({ version, timeoutSeconds });
}

/** As it was left there: that its contents are the same is not enough where others may write the file. */
async function isInstalled(path: string): Promise<boolean> {
  return isSafeFile(path) && ((await stat(path)).mode & 0o7777) === MODE;
}

/** Undefined for a program that does not run, or is another. */
async function askVersion(
  { hostRoot }: BinarySetup,
  command: readonly string[],
): Promise<string | undefined> {
  const asked = await runInRoot(hostRoot, [...command, "--version"]);
  return asked.ok && asked.value.exitCode === 0 ? parseVersion(asked.value.stdout) : undefined;
}

function explain(message: string, localDir: string): string {
  return findMountOptions(localDir).includes("noexec")
    ? `${localDir} is on a file system mounted noexec, programs cannot run there: choose another directory with --local-install-dir and --host-install-dir`
    : message;
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}

/** The hook beside this program, for a tool that was unpacked and not installed. */
export const findLocalBinary = (given: string): string => {
  const usual = "/usr/bin/tetragon-oci-hook";
  if (given !== "") return given;
  return existsSync(usual) ? usual : join(dirname(process.execPath), "tetragon-oci-hook");
};
