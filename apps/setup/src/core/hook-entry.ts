// SPDX-License-Identifier: Apache-2.0
// The hook as OCI writes it (runtime-spec config.md, POSIX-platform Hooks), for hooks directories and base specs alike.

import { hookEnvironment } from "@rthooks/plugin";

export interface HookEntry {
  readonly path: string;
  /** argv, the program's own name first. */
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
