// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";

/**
 * Checks that every version of NRI accepts this plugin name and index. They are checked before the plugin connects, since a
 * runtime answers an invalid name with an error but keeps the connection open. The characters are those of NRI 0.12.
 */
export function checkPluginName(name: string, index: string): Result<void, string> {
  if (!/^[0-9]{2}$/.test(index)) {
    return err(`the plugin index must have two digits, such as 10, not ${JSON.stringify(index)}`);
  }
  if (!/^[A-Za-z0-9_.+-]+$/.test(name)) {
    return err(`the plugin name must consist of letters, digits and _.+-, not ${JSON.stringify(name)}`);
  }
  return ok(undefined);
}
