// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";

/**
 * Whether every version of NRI takes this name and index. A runtime answers a bad one with an error and then leaves the
 * connection open for ever, so they are checked before anything is dialled; the characters are NRI 0.12's.
 */
export function checkPluginName(name: string, index: string): Result<void, string> {
  if (!/^[0-9]{2}$/.test(index)) {
    return err(`the plugin's index must be two digits, such as 10, and not ${JSON.stringify(index)}`);
  }
  if (!/^[A-Za-z0-9_.+-]+$/.test(name)) {
    return err(`the plugin's name must be of letters, digits and _.+- only, and not ${JSON.stringify(name)}`);
  }
  return ok(undefined);
}
