// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";
import { describeError } from "@rthooks/result";
import { type Command, defineCommand, exitCode } from "../../core/command.ts";
import { parseExactJson } from "../../core/exact-json.ts";
import { statusFlags } from "../../core/status-flags.ts";

const TIMEOUT_MS = 5_000;

export const statusCommand: Command = defineCommand({
  name: "status",
  summary: "say whether an `install --daemonize` is complete, and the runtime calls the hook",
  flags: statusFlags,
  examples: ["tetragon-oci-hook-setup status --status-socket /run/tetragon-oci-hook-setup.sock"],
  async run({ flags }, io) {
    const path = flags["status-socket"];
    const text = await read(path).catch((error: unknown) => describeError(error));
    const answer = parseExactJson(text);
    if (answer?.["ready"] === true) {
      io.stdout("ready\n");
      return exitCode.ok;
    }
    const problem = answer?.["problem"];
    io.stdout(`not ready: ${typeof problem === "string" ? problem : `${path}: ${text.trim()}`}\n`);
    return exitCode.failed;
  },
});

function read(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer")));
    socket.setEncoding("utf8");
    socket.on("data", (piece) => {
      text += piece;
    });
    socket.once("end", () => {
      socket.destroy();
      resolve(text);
    });
    socket.once("error", reject);
  });
}
