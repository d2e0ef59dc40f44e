// SPDX-License-Identifier: Apache-2.0
// tetragon-nri-hook: holds containers through the runtime's Node Resource Interface.

import { endOnClosedOutput } from "@rthooks/sys/closed-output";
import { runCommand } from "./edge/command.ts";

declare const RTHOOKS_VERSION: string;

const version = typeof RTHOOKS_VERSION === "undefined" ? "dev" : RTHOOKS_VERSION;

endOnClosedOutput();
process.exitCode = await runCommand(process.argv.slice(2), process.env, version);
