// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";

/** What `doctor -o json` prints as `findings`. */
export interface Finding {
  /** For scripts. */
  readonly check: Check;
  /** "warn": works, or its state is unknown; "fail": needs a change. */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** Shell commands in their order; empty if no command can fix it. */
  readonly fix: readonly string[];
}

export type Check = "runtime" | "config" | "nri" | "wiring" | "hook" | "install-dir" | "agent" | "cgroups";

export function createFinding(
  check: Check,
  status: Finding["status"],
  message: string,
  fix: readonly string[] = [],
): Finding {
  return { check, status, message, fix };
}

/** A failed check; `fix` is the commands, or the reason why no command can fix it. */
export const createFailure = (
  check: Check,
  message: string,
  fix: Result<readonly string[], string>,
  more: readonly string[] = [],
): Finding =>
  fix.ok
    ? createFinding(check, "fail", message, [...fix.value, ...more])
    : createFinding(check, "fail", `${message}; ${fix.error}`, more);
