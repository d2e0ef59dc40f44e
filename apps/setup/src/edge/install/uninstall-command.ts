// SPDX-License-Identifier: Apache-2.0
// What points at the hook goes first, the hook after it: no configuration is ever left that points to nothing.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { uninstallFlags } from "../../core/install-flags.ts";
import { removeLibcs } from "./bundled-libc.ts";
import { findHooksDir, hookFilePath, removeHookFile } from "./hooks-dir.ts";
import { describeFileError } from "./install-error.ts";

interface PlaceFlags {
  readonly interface: string;
  readonly "local-install-dir": string;
  readonly "host-install-dir": string;
  readonly "oci-hooks.local-dir": string;
}

const DEFAULT_INSTALL_DIR = "/opt/tetragon";

export function findPlaces(flags: Pick<PlaceFlags, "local-install-dir" | "host-install-dir">): {
  readonly localDir: string;
  readonly hostDir: string;
} {
  const hostDir = flags["host-install-dir"] || flags["local-install-dir"] || DEFAULT_INSTALL_DIR;
  return { localDir: flags["local-install-dir"] || hostDir, hostDir };
}

export const uninstallCommand: Command = defineCommand({
  name: "uninstall",
  summary: "remove the runtime's configuration for the hook, and then the hook",
  flags: uninstallFlags,
  run: ({ flags }, io) => removeInstalled(flags, flags["binary-name"], io),
});

export async function removeInstalled(flags: PlaceFlags, binaryName: string, io: Io): Promise<number> {
  const { log } = io;
  if (binaryName !== basename(binaryName) || binaryName === "" || binaryName === "." || binaryName === "..") {
    log.error(`${JSON.stringify(binaryName)} is no name of a file; --binary-name takes no directory`);
    return exitCode.usage;
  }
  // A plugin that is stopped points at nothing any more.
  if (flags.interface === "oci-hooks") {
    const conf = await removeHookFile(
      hookFilePath(findHooksDir(flags["oci-hooks.local-dir"]), binaryName),
      binaryName,
      log,
    );
    if (!conf.ok) {
      log.error(conf.error);
      return exitCode.failed;
    }
  }
  const { localDir } = findPlaces(flags);
  const path = join(localDir, binaryName);
  try {
    if (existsSync(path)) {
      await rm(path);
      log.info("removed binary", { path });
    } else log.warn("no binary to remove", { path });
    await removeLibcs(localDir);
  } catch (error) {
    log.error(describeFileError(error, path));
    return exitCode.failed;
  }
  return exitCode.ok;
}
