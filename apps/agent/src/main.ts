// SPDX-License-Identifier: Apache-2.0
// tetragon: the node agent, and the client that asks it for its state.

import { endOnClosedOutput } from "@rthooks/sys/closed-output";
import { runCommand } from "./cli/edge/command.ts";

declare const RTHOOKS_VERSION: string;

const version = typeof RTHOOKS_VERSION === "undefined" ? "dev" : RTHOOKS_VERSION;

endOnClosedOutput();
process.exitCode = await runCommand(process.argv.slice(2), version);
