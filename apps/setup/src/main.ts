// SPDX-License-Identifier: Apache-2.0
// tetragon-oci-hook-setup: puts the hook on a node and the node's runtime to it.

import { endOnClosedOutput } from "@rthooks/sys/closed-output";
import { commands } from "./edge/commands.ts";
import { dispatch } from "./edge/dispatch.ts";
import { enterRootAndRun, RUN_IN_ROOT } from "./edge/install/run-in-root.ts";

declare const RTHOOKS_VERSION: string;

const version = typeof RTHOOKS_VERSION === "undefined" ? "dev" : RTHOOKS_VERSION;

const [first, ...rest] = process.argv.slice(2);

endOnClosedOutput();
process.exitCode =
  first === RUN_IN_ROOT
    ? await enterRootAndRun(rest)
    : await dispatch(commands, process.argv.slice(2), version);
