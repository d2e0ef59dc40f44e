// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { removeFile } from "@rthooks/sys/atomic-file";
import { HOST_HOOKS_DIR, POD_HOOKS_DIR } from "../../core/default-paths.ts";
import type { HookEntry } from "../../core/hook-entry.ts";
import { callsProgram, isHookFile, renderHookFile } from "../../core/hook-file.ts";
import { describeFileError, otherHooksDir } from "./install-error.ts";
import { orThrow, placeText } from "./place-file.ts";
import { isSafeFile } from "./safe-path.ts";

export const findHooksDir = (given: string): string => {
  if (given !== "") return given;
  return existsSync(POD_HOOKS_DIR) ? POD_HOOKS_DIR : HOST_HOOKS_DIR;
};

export const hookFilePath = (hooksDir: string, fileName: string): string => join(hooksDir, fileName);

/** Publishes the file by a rename, because CRI-O reads the directory at every change. The error is one line. */
export async function writeHookFile(
  path: string,
  entry: HookEntry,
  log: Logger,
): Promise<Result<void, string>> {
  try {
    const text = renderHookFile(entry);
    if (isSafeFile(path) && (await readFile(path, "utf8").catch(() => undefined)) === text) {
      log.info("conf is up to date", { "conf-dst-path": path });
      return ok(undefined);
    }
    placeText(path, text, { mode: 0o644 });
    log.info("written conf", { "conf-dst-path": path });
    return ok(undefined);
  } catch (error) {
    return err(describeFileError(error, dirname(path), otherHooksDir));
  }
}

/** Whether the file is a hook file that calls another program; false for a damaged file. */
export async function isOfAnotherHook(path: string, binaryName: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => "");
  return isHookFile(text) && !callsProgram(text, binaryName);
}

/** A file that does not call the hook is kept, and is an error. */
export async function removeHookFile(
  path: string,
  binaryName: string,
  log: Logger,
): Promise<Result<void, string>> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    log.warn("no conf to remove", { "conf-path": path });
    return ok(undefined);
  }
  if (!callsProgram(text, binaryName)) {
    return err(`${path} does not call ${binaryName}: not removing the file or the binary`);
  }
  try {
    orThrow(removeFile(path));
    log.info("removed conf", { "conf-path": path });
    return ok(undefined);
  } catch (error) {
    return err(describeFileError(error, path, otherHooksDir));
  }
}
