// SPDX-License-Identifier: Apache-2.0

import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Tells when something happens to the name of the socket. Only a shortcut: a directory that is not there, or is another
 * one by now, is not watched, and the session's own pauses are short enough.
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
