// SPDX-License-Identifier: Apache-2.0
// The installation from its directories to its owner's mark, all under the directories' locks.

import { err, ok, type Result } from "@rthooks/result";
import type { HookEntry } from "../../core/hook-entry.ts";
import { isOfAnotherHook, writeHookFile } from "./hooks-dir.ts";
import { inDirectories } from "./in-directories.ts";
import { type BinarySetup, type InstalledBinary, installBinary } from "./install-binary.ts";
import type { InstalledPart } from "./keep-installed.ts";
import { claimFiles, type OwnerMark, releaseFiles } from "./owner-mark.ts";
import { recordReference } from "./references.ts";
import { type Target, toHookFile } from "./target.ts";

/** How the runtime comes to call the hook. Where it fails, the hook that was there before comes back. */
export type Configure =
  | { readonly kind: "hook-file"; toEntry(installed: InstalledBinary): HookEntry }
  | { readonly kind: "start"; start(installed: InstalledBinary): Promise<Result<void, string>> };

interface HookSetup {
  readonly target: Target;
  readonly setup: BinarySetup;
  readonly configure: Configure;
  /** It keeps the files and removes them at its end. */
  readonly isDaemon: boolean;
}

/** For a daemon what it has to keep, for others none. The error is one line for people. */
export const installHook = (hook: HookSetup): Promise<Result<readonly InstalledPart[], string>> =>
  inDirectories(hook.target, hook.setup.log, () => install(hook));

async function install(hook: HookSetup): Promise<Result<readonly InstalledPart[], string>> {
  const { target, setup, configure, isDaemon } = hook;
  const { log } = setup;
  const { localDir, hooksDir, binaryName } = target;
  const hookFile = toHookFile(target);
  if (hookFile !== undefined && !setup.force && (await isOfAnotherHook(hookFile, binaryName))) {
    return err(
      `${hookFile} calls another hook, not ${binaryName}: remove the file, or replace it with --force`,
    );
  }
  const installed = await installBinary(setup);
  if (!installed.ok) return installed;
  const entry = configure.kind === "hook-file" ? configure.toEntry(installed.value) : undefined;
  const writeConf = (): Promise<Result<void, string>> =>
    hookFile === undefined || entry === undefined
      ? Promise.resolve(ok(undefined))
      : writeHookFile(hookFile, entry, log);
  const configured = configure.kind === "start" ? await configure.start(installed.value) : await writeConf();
  if (!configured.ok) {
    await installed.value.undo();
    return configured;
  }
  if (hookFile !== undefined) await recordReference(installed.value.localPath, hookFile);
  await installed.value.settle();

  const directories = [localDir, ...(hooksDir === undefined || hooksDir === localDir ? [] : [hooksDir])];
  if (!isDaemon) {
    for (const directory of directories) await releaseFiles(directory, binaryName);
    return ok([]);
  }
  const marks = new Map<string, OwnerMark>();
  for (const directory of directories) marks.set(directory, await claimFiles(directory, binaryName));
  const toPart = (
    directory: string,
    files: readonly string[],
    restore: InstalledPart["restore"],
  ): readonly InstalledPart[] => {
    const mark = marks.get(directory);
    const only = { ...target, localDir: directory, hooksDir: undefined };
    return mark === undefined
      ? []
      : [{ directory, mark, files, inDirectory: (work) => inDirectories(only, log, work), restore }];
  };
  const restoreBinary = async (): Promise<Result<readonly string[], string>> => {
    const again = await installBinary(setup);
    if (!again.ok) return again;
    if (hookFile !== undefined) await recordReference(again.value.localPath, hookFile);
    await again.value.settle();
    return ok(again.value.files);
  };
  const restoreConf = async (): Promise<Result<readonly string[], string>> => {
    const written = await writeConf();
    return written.ok ? ok(hookFile === undefined ? [] : [hookFile]) : written;
  };
  if (hooksDir === undefined || hookFile === undefined) {
    return ok(toPart(localDir, installed.value.files, restoreBinary));
  }
  if (hooksDir === localDir) {
    return ok(
      toPart(localDir, [...installed.value.files, hookFile], async () => {
        const files = await restoreBinary();
        const conf = await restoreConf();
        if (!files.ok) return files;
        return conf.ok ? ok([...files.value, ...conf.value]) : conf;
      }),
    );
  }
  return ok([
    ...toPart(localDir, installed.value.files, restoreBinary),
    ...toPart(hooksDir, [hookFile], restoreConf),
  ]);
}
