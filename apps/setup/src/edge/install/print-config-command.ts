// SPDX-License-Identifier: Apache-2.0

import { type Command, defineCommand, exitCode } from "../../core/command.ts";
import { toHookEntry } from "../../core/hook-entry.ts";
import { renderHookFile } from "../../core/hook-file.ts";
import { printConfigFlags } from "../../core/install-flags.ts";

/** Longer than the hook's default timeout of 10 s. */
const TIMEOUT_SECONDS = 15;

export const printConfigCommand: Command = defineCommand({
  name: "print-config",
  summary:
    "print the hook file for a hooks directory, or the OCI hook that the NRI plugin adds to a container",
  flags: printConfigFlags,
  async run({ flags, given }, io) {
    const made = toHookEntry([flags.binary], [], TIMEOUT_SECONDS);
    const entry = given.args === undefined ? made : { ...made, args: given.args };
    io.stdout(
      flags.interface === "nri-hook"
        ? `${JSON.stringify({ hooks: { createRuntime: [entry] } }, undefined, 3)}\n`
        : renderHookFile(entry),
    );
    return exitCode.ok;
  },
});
