// SPDX-License-Identifier: Apache-2.0
// The hook's log in the install directory, where `install` lets the hook write it.

import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const LOG_NAME = "tetragon-oci-hook.log";
/** The log, and the backups that the hook makes of it. */
const isHookLog = (name: string): boolean =>
  name === LOG_NAME || /^tetragon-oci-hook-\d{4}-\d\d-\d\dT[\d.-]+\.log$/.test(name);

export const toHookLogPath = (hookPath: string): string => join(dirname(hookPath), LOG_NAME);

export function removeHookLog(directory: string): void {
  for (const name of readdirSync(directory).filter(isHookLog)) rmSync(join(directory, name), { force: true });
}
