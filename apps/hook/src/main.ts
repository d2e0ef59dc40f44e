// SPDX-License-Identifier: Apache-2.0

import { POD_ENVIRONMENT } from "@rthooks/oci";
import { openSystem } from "@rthooks/sys";
import { runHookProgram } from "./edge/run-hook.ts";

declare const RTHOOKS_VERSION: string | undefined;

const version = typeof RTHOOKS_VERSION === "string" ? RTHOOKS_VERSION : "dev";
const system = await openSystem();
try {
  system.exit(await runHookProgram(system, process.argv.slice(2), process.env[POD_ENVIRONMENT], version));
} catch (error) {
  // Only a bug leads here: deny the container.
  system.writeStderr(`tetragon-oci-hook: internal error: ${String(error).split("\n")[0]}\n`);
  system.exit(1);
}
