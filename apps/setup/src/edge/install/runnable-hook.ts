// SPDX-License-Identifier: Apache-2.0
// The C library with which the host can run a staged hook: its own, or a bundled copy.

import { basename, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import type { StagedFile } from "@rthooks/sys/atomic-file";
import { findMountOptions } from "../mount-options.ts";
import { type BinarySetup, toCheckDir } from "./binary-setup.ts";
import { findLibc, installLibc, toLibcPrefix } from "./bundled-libc.ts";
import { type CheckedHook, checkHook } from "./check-hook.ts";
import type { PublishedFile } from "./place-file.ts";

export interface BundledLibc {
  readonly digest: string;
  readonly published: readonly PublishedFile[];
  readonly files: readonly string[];
}

export interface RunnableHook {
  readonly checked: CheckedHook;
  /** Undefined: the hook runs with the host's C library. */
  readonly libc: BundledLibc | undefined;
}

/** The words before the hook that run it; `directory` is the install directory in that root. */
export const libcPrefix = (libc: BundledLibc | undefined, directory: string): readonly string[] =>
  libc === undefined ? [] : toLibcPrefix(libc.digest, directory);

/** Checks the staged hook with the host's C library, then with a bundled one, as `libc` allows. */
export async function makeRunnable(
  setup: BinarySetup,
  staged: StagedFile,
): Promise<Result<RunnableHook, string>> {
  const { libc, hostRoot, hostDir, localDir, hookArgs, log } = setup;
  if (libc === "bundled") return bundleLibc(setup, staged);
  const checked = await checkHook(hostRoot, [join(toCheckDir(setup), basename(staged.path))], hookArgs);
  if (libc === "auto" && !checked.ok && !checked.error.hasRun) {
    log.info("the host's C library cannot run the hook", { err: checked.error.message });
    return bundleLibc(setup, staged);
  }
  if (libc === "auto" && hostRoot === "/" && localDir !== hostDir) {
    log.warn("hook checked in this program's root directory, not the host's: set --host-root");
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
  const directory = toCheckDir(setup);
  const command = [...libcPrefix(libc, directory), join(directory, basename(staged.path))];
  const checked = await checkHook(hostRoot, command, hookArgs);
  if (checked.ok) return ok({ checked: checked.value, libc });
  await undoAll(libc.published);
  return err(explain(checked.error.message, localDir));
}

export async function undoAll(files: readonly PublishedFile[] = []): Promise<void> {
  for (const file of files) await file.undo();
}

function explain(message: string, localDir: string): string {
  return findMountOptions(localDir).includes("noexec")
    ? `${localDir} is on a file system mounted noexec, programs cannot run there: choose another directory with --local-install-dir and --host-install-dir`
    : message;
}
