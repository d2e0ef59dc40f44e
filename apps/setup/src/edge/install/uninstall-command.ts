// SPDX-License-Identifier: Apache-2.0
// What points at the hook goes first, the hook after it: no configuration is ever left that points to nothing.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { type Command, defineCommand, exitCode } from "../../core/command.ts";
import { uninstallFlags } from "../../core/install-flags.ts";
import { removeLibcs } from "./bundled-libc.ts";
import { removeHookFile } from "./hooks-dir.ts";
import { describeFileError } from "./install-error.ts";
import { lockDirectories } from "./lock-directories.ts";
import { releaseFiles } from "./owner-mark.ts";
import { findReferences, forgetReferences, isLoaderInUse } from "./references.ts";
import { findTarget, type Target, toHookFile, toProgram } from "./target.ts";

export const uninstallCommand: Command = defineCommand({
  name: "uninstall",
  summary: "remove the hook from the runtime's configuration, then remove the hook",
  flags: uninstallFlags,
  async run({ flags }, { log }) {
    const binaryName = flags["binary-name"];
    if (
      binaryName !== basename(binaryName) ||
      binaryName === "" ||
      binaryName === "." ||
      binaryName === ".."
    ) {
      log.error(
        `invalid --binary-name ${JSON.stringify(binaryName)}: must be a file name without a directory`,
      );
      return exitCode.usage;
    }
    const target = findTarget(flags, binaryName);
    const done = await inExisting(target, () => uninstall(target, flags.force, log));
    if (done.ok) return exitCode.ok;
    log.error(done.error);
    return exitCode.failed;
  },
});

/** Under the locks of those of the target's directories that exist. */
export async function inExisting(
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

async function uninstall(target: Target, force: boolean, log: Logger): Promise<Result<void, string>> {
  const { binaryName, localDir, hooksDir } = target;
  const hookFile = toHookFile(target);
  const references = await findReferences(toProgram(target), hookFile);
  if (references.length > 0 && existsSync(join(localDir, binaryName))) {
    if (!force) return err(`${describeReferences(target, references)}; --force removes it anyway`);
    for (const reference of references)
      log.warn("removing a hook that is still called: containers will fail to start", {
        reference,
      });
  }
  if (hookFile !== undefined && hooksDir !== undefined) {
    const removed = await removeHookFile(hookFile, binaryName, log);
    if (!removed.ok) return removed;
    await releaseFiles(hooksDir, binaryName);
  }
  const removed = await removeBinary(target, log);
  if (removed.ok) await releaseFiles(localDir, binaryName);
  return removed;
}

export const describeReferences = (target: Target, references: readonly string[]): string =>
  `${toProgram(target).localPath} is still called by ${references.join(", ")}: their containers would fail to start. ` +
  "Remove these references first (patch-containerd-conf remove-oci-hook, uninstall --oci-hooks.local-dir, " +
  "or stop the plugin)";

/** The hook and what came with it. */
export async function removeBinary(target: Target, log: Logger): Promise<Result<void, string>> {
  const { localDir, hostDir, hostRoot } = target;
  const hook = toProgram(target);
  const { localPath } = hook;
  try {
    if (existsSync(localPath)) {
      await rm(localPath);
      log.info("removed binary", { path: localPath });
    } else log.warn("no binary to remove", { path: localPath });
    // A hook of another name in the same directory may be run through the same loader.
    await removeLibcs(localDir, (loader) =>
      isLoaderInUse(hook, { localPath: loader, hostPath: join(hostDir, basename(loader)), hostRoot }),
    );
    await forgetReferences(localPath);
    return ok(undefined);
  } catch (error) {
    return err(describeFileError(error, localPath));
  }
}
