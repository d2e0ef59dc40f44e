// SPDX-License-Identifier: Apache-2.0
// tetragon-operator: installs the CustomResourceDefinitions, and keeps the PodInfo objects.

import { endOnClosedOutput } from "@rthooks/sys/closed-output";
import { runCommand } from "./edge/command.ts";

declare const RTHOOKS_VERSION: string;

const version = typeof RTHOOKS_VERSION === "undefined" ? "dev" : RTHOOKS_VERSION;

endOnClosedOutput();
process.exitCode = await runCommand(process.argv.slice(2), process.env, version);
