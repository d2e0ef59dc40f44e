// SPDX-License-Identifier: Apache-2.0
// The hook as an OCI hook entry (runtime-spec config.md, POSIX-platform Hooks), for hook files and base specs.

import { hookEnvironment } from "@rthooks/plugin";

export interface HookEntry {
  readonly path: string;
  /** argv, beginning with argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds. */
  readonly timeout: number;
}

export function toHookEntry(
  command: readonly [string, ...string[]],
  args: readonly string[],
  timeoutSeconds: number,
): HookEntry {
  return {
    path: command[0],
    args: [...command, "createRuntime", ...args],
    env: hookEnvironment,
    timeout: timeoutSeconds,
  };
}
