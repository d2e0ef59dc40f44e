// SPDX-License-Identifier: Apache-2.0
// An installation under the locks of its directories: the hook, the configuration that calls it, and the owner marks.

import { err, ok, type Result } from "@rthooks/result";
import type { HookEntry } from "../../core/hook-entry.ts";
import type { BinarySetup } from "./binary-setup.ts";
import { isOfAnotherHook, writeHookFile } from "./hooks-dir.ts";
import { inDirectories } from "./in-directories.ts";
import { type InstalledBinary, installBinary } from "./install-binary.ts";
import type { InstalledPart } from "./keep-installed.ts";
import { claimFiles, findOtherDaemonSet, releaseFiles, removeReleasedMark } from "./owner-mark.ts";
import { recordReference } from "./references.ts";
import { type Target, toHookFile, toMarkName } from "./target.ts";

/** What makes the runtime call the hook. If it fails, the previous hook is restored. */
export type Configure =
  | { readonly kind: "hook-file"; toEntry(installed: InstalledBinary): HookEntry }
  | { readonly kind: "start"; start(installed: InstalledBinary): Promise<Result<void, string>> };

interface HookSetup {
  readonly target: Target;
  readonly setup: BinarySetup;
  readonly configure: Configure;
  /** The program keeps the files and removes them at its end. */
  readonly isDaemon: boolean;
  /** NAMESPACE/NAME of the pod's DaemonSet; empty without one. */
  readonly daemonSet: string;
}

/** Returns the parts that a daemon has to keep; none for other runs. The error is one line. */
export const installHook = (hook: HookSetup): Promise<Result<readonly InstalledPart[], string>> =>
  inDirectories(hook.target, hook.setup.log, () => install(hook));

async function install(hook: HookSetup): Promise<Result<readonly InstalledPart[], string>> {
  const { target, setup, configure, isDaemon } = hook;
  const { localDir, hooksDir, binaryName } = target;
  const hookFile = toHookFile(target);
  const isFree = await checkOwners(hook);
  if (!isFree.ok) return isFree;
  if (hookFile !== undefined && !setup.force && (await isOfAnotherHook(hookFile, binaryName))) {
    return err(
      `${hookFile} calls another hook, not ${binaryName}: remove the file, or replace it with --force`,
    );
  }
  const installed = await installBinary(setup);
  if (!installed.ok) return installed;
  const entry = configure.kind === "hook-file" ? configure.toEntry(installed.value) : undefined;
  const configured =
    configure.kind === "start"
      ? await configure.start(installed.value)
      : await writeEntry(hookFile, entry, setup);
  if (!configured.ok) {
    await installed.value.undo();
    return configured;
  }
  await settleBinary(installed.value, hookFile);
  if (isDaemon) return ok(await claimParts(hook, installed.value, hookFile, entry));
  for (const directory of new Set([localDir, hooksDir ?? localDir]))
    await releaseFiles(directory, toMarkName(target, directory));
  return ok([]);
}

/** Two releases of the chart must not replace each other's files. */
async function checkOwners({ target, setup, daemonSet }: HookSetup): Promise<Result<void, string>> {
  if (daemonSet === "" || setup.force) return ok(undefined);
  const { localDir, hostDir, hooksDir } = target;
  const installed = await findOtherDaemonSet(localDir, toMarkName(target, localDir), daemonSet);
  if (installed !== undefined) {
    return err(
      `${hostDir} has the hook of the DaemonSet ${installed}: choose another directory with --host-install-dir ` +
        "(value rthooks.installDir of the chart)",
    );
  }
  const configured =
    hooksDir === undefined
      ? undefined
      : await findOtherDaemonSet(hooksDir, toMarkName(target, hooksDir), daemonSet);
  return configured === undefined
    ? ok(undefined)
    : err(
        `${toHookFile(target)} belongs to the DaemonSet ${configured}: choose another name with --oci-hooks.file-name`,
      );
}

const writeEntry = (
  hookFile: string | undefined,
  entry: HookEntry | undefined,
  { log }: BinarySetup,
): Promise<Result<void, string>> =>
  hookFile === undefined || entry === undefined
    ? Promise.resolve(ok(undefined))
    : writeHookFile(hookFile, entry, log);

/** Records the hook file, so that another uninstall finds this reference, and removes the previous binary. */
async function settleBinary(installed: InstalledBinary, hookFile: string | undefined): Promise<void> {
  if (hookFile !== undefined) await recordReference(installed.localPath, hookFile);
  await installed.settle();
}

type Restore = InstalledPart["restore"];

/** Marks the directories as this run's: one part for each. The hook comes before the hook file that calls it. */
async function claimParts(
  { target, setup, daemonSet }: HookSetup,
  installed: InstalledBinary,
  hookFile: string | undefined,
  entry: HookEntry | undefined,
): Promise<readonly InstalledPart[]> {
  const { localDir, hooksDir } = target;
  const restoreBinary: Restore = async () => {
    const again = await installBinary(setup);
    if (!again.ok) return again;
    await settleBinary(again.value, hookFile);
    return ok(again.value.files);
  };
  const restoreHookFile: Restore = async () => {
    const written = await writeEntry(hookFile, entry, setup);
    return written.ok ? ok(hookFile === undefined ? [] : [hookFile]) : written;
  };
  const claim = async (
    directory: string,
    files: readonly string[],
    restore: Restore,
  ): Promise<InstalledPart> => {
    const only = { ...target, localDir: directory, hooksDir: undefined };
    const name = toMarkName(target, directory);
    const claimAgain = () => claimFiles(directory, name, daemonSet);
    return {
      directory,
      mark: await claimAgain(),
      files,
      claim: claimAgain,
      removeReleasedMark: () => removeReleasedMark(directory, name),
      inDirectory: (work) => inDirectories(only, setup.log, work),
      restore,
    };
  };
  if (hooksDir === undefined || hookFile === undefined) {
    return [await claim(localDir, installed.files, restoreBinary)];
  }
  if (hooksDir === localDir) {
    const restoreBoth: Restore = async () => {
      const files = await restoreBinary();
      const conf = await restoreHookFile();
      if (!files.ok) return files;
      return conf.ok ? ok([...files.value, ...conf.value]) : conf;
    };
    return [await claim(localDir, [...installed.files, hookFile], restoreBoth)];
  }
  return [
    await claim(localDir, installed.files, restoreBinary),
    await claim(hooksDir, [hookFile], restoreHookFile),
  ];
}
