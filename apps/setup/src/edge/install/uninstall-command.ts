// SPDX-License-Identifier: Apache-2.0

import { basename } from "node:path";
import { type Command, defineCommand, exitCode } from "../../core/command.ts";
import { uninstallFlags } from "../../core/install-flags.ts";
import { inExistingDirectories } from "./in-directories.ts";
import { findTarget } from "./target.ts";
import { uninstallHook } from "./uninstall-hook.ts";

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
    const done = await inExistingDirectories(target, () => uninstallHook(target, flags.force, log));
    if (done.ok) return exitCode.ok;
    log.error(done.error);
    return exitCode.failed;
  },
});
