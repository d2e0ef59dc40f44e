// SPDX-License-Identifier: Apache-2.0

import { basename, dirname } from "node:path";
import { openDirectoryWatch, type WatchedDirectory } from "@rthooks/sys/directory-watch";

/**
 * Calls `onChange` when the socket's directory entry changes. This only shortens the session's own pauses: a directory
 * that does not exist, or was replaced, is not watched until `renew`. The process does not end before `close`.
 */
export function watchSocket(path: string, onChange: () => void): { renew(): void; close(): void } {
  const name = basename(path);
  const directories = openDirectoryWatch();
  let watched: WatchedDirectory | undefined;
  const report = (names: ReadonlySet<string> | undefined): void => {
    if (names === undefined || names.has(name)) onChange();
  };
  return {
    renew() {
      const added = directories.add(dirname(path), report);
      const before = watched;
      watched = added.ok ? added.value : undefined;
      if (before !== undefined && before.id !== watched?.id) before.close();
    },
    close: directories.close,
  };
}
