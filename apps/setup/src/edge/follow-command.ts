// SPDX-License-Identifier: Apache-2.0
// `follow`: for a container that shows the hook's log as its own.

import { followFlags, followSummary, parseFollowRequest, toFollowExitCodes } from "@rthooks/follow/flags";
import { type Command, defineCommand, exitCode } from "../core/command.ts";

const PREFIX = "tetragon-oci-hook-setup: follow:";

export const followCommand: Command = defineCommand({
  name: "follow",
  summary: followSummary,
  flags: followFlags,
  words: "FILE",
  exitCodes: toFollowExitCodes(exitCode.usage),
  examples: ["tetragon-oci-hook-setup follow /opt/tetragon/tetragon-oci-hook.log"],
  async run({ flags, words }, io) {
    const request = parseFollowRequest(words, flags);
    if (!request.ok) {
      io.stderr(`${PREFIX} ${request.error}; see tetragon-oci-hook-setup follow --help\n`);
      return exitCode.usage;
    }
    const { path } = request.value;
    const { printLines } = await import("@rthooks/follow/print-lines");
    await printLines(request.value, (problem) => io.stderr(`${PREFIX} ${path}: ${problem}\n`));
    return exitCode.ok;
  },
});
