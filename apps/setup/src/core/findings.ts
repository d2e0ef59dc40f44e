// SPDX-License-Identifier: Apache-2.0

/** What `doctor -o json` prints as `findings`. */
export interface Finding {
  /** One of a closed set, for scripts. */
  readonly check: Check;
  /** "warn": it works, or may work; "fail": something is to be done. */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** Commands, one after another; none where no command can do it. */
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
