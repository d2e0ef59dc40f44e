// SPDX-License-Identifier: Apache-2.0
// Removes the hook file before the hook, so that no configuration calls a hook that does not exist.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { removeLibcs } from "./bundled-libc.ts";
import { removeHookFile } from "./hooks-dir.ts";
import { describeFileError } from "./install-error.ts";
import { releaseFiles } from "./owner-mark.ts";
import { findReferences, forgetReferences, isLoaderInUse } from "./references.ts";
import { type Target, toHookFile, toMarkName, toProgram } from "./target.ts";

/** Needs the locks of the target's directories. The error is one line. */
export async function uninstallHook(
  target: Target,
  force: boolean,
  log: Logger,
): Promise<Result<void, string>> {
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
    await releaseFiles(hooksDir, toMarkName(target, hooksDir));
  }
  const removed = await removeBinary(target, log);
  if (removed.ok) await releaseFiles(localDir, binaryName);
  return removed;
}

export const describeReferences = (target: Target, references: readonly string[]): string =>
  `${toProgram(target).localPath} is still called by ${references.join(", ")}: their containers would fail to start. ` +
  "Remove these references first (patch-containerd-conf remove-oci-hook, uninstall --oci-hooks.local-dir, " +
  "or stop the plugin)";

/** Removes the hook, the bundled C libraries that no other hook uses, and the recorded references. */
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
