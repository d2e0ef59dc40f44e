// SPDX-License-Identifier: Apache-2.0
// Runs a hook program where and as the runtime will run it.

import { err, ok, type Result } from "@rthooks/result";
import { toTimeoutSeconds } from "../../core/hook-file.ts";
import { parseVersion } from "../../core/version-order.ts";
import { runInRoot } from "./run-in-root.ts";

export interface CheckedHook {
  readonly version: string;
  /** For the runtime's own time limit, which is longer than the hook's. */
  readonly timeoutSeconds: number;
}

export interface CheckFailure {
  /** The hook has run and reported an error, so that the C library is not the cause. */
  readonly hasRun: boolean;
  /** One line. */
  readonly message: string;
}

/** Runs `command` with `--version`, and again with the arguments of the hook. */
export async function checkHook(
  root: string,
  command: readonly string[],
  hookArgs: readonly string[],
): Promise<Result<CheckedHook, CheckFailure>> {
  const version = await runVersion(root, command);
  if (!version.ok)
    return err({ hasRun: false, message: `the hook does not run: ${firstLine(version.error)}` });
  const printed = await runInRoot(root, [...command, "--just-print-config", "--log-fname", "", ...hookArgs]);
  const timeoutSeconds = printed.ok ? toTimeoutSeconds(printed.value.stdout) : undefined;
  if (!printed.ok || printed.value.exitCode !== 0 || timeoutSeconds === undefined) {
    const reason = printed.ok ? printed.value.stderr.trim() || "it printed no configuration" : printed.error;
    return err({ hasRun: true, message: `the hook rejects its arguments: ${firstLine(reason)}` });
  }
  return ok({ version: version.value, timeoutSeconds });
}

/** Undefined for a program that does not run, or that is not a hook. */
export async function findHookVersion(root: string, command: readonly string[]): Promise<string | undefined> {
  const version = await runVersion(root, command);
  return version.ok ? version.value : undefined;
}

async function runVersion(root: string, command: readonly string[]): Promise<Result<string, string>> {
  const ran = await runInRoot(root, [...command, "--version"]);
  if (!ran.ok) return ran;
  const { exitCode, stdout, stderr } = ran.value;
  const version = exitCode === 0 ? parseVersion(stdout) : undefined;
  return version === undefined ? err(stderr.trim() || `exit code ${exitCode}`) : ok(version);
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
