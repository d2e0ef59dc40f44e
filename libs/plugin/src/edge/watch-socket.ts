// SPDX-License-Identifier: Apache-2.0

import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Calls `onChange` when the socket's directory entry changes. This only shortens the session's own pauses: a directory
 * that does not exist, or was replaced, is not watched.
 */
export function watchSocket(path: string, onChange: () => void): { renew(): void; close(): void } {
  const name = basename(path);
  let watcher: FSWatcher | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const renew = (): void => {
    close();
    try {
      watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) onChange();
      });
      watcher.on("error", close);
    } catch {
      watcher = undefined;
    }
  };
  return { renew, close };
}
