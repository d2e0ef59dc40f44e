// SPDX-License-Identifier: Apache-2.0

import { toDirectory, toName } from "./posix-path.ts";

/** The files of the node that is looked at. Paths are the node's own; no link leads out of its root. */
export interface NodeFiles {
  /** Undefined where there is none. Nothing is ever waited for, and what is too large is an error in one line. */
  readText(path: string): { readonly text: string } | { readonly problem: string } | undefined;
  /** Names in a directory, sorted; none where there is no directory. */
  list(path: string): readonly string[];
  kind(path: string): "file" | "directory" | "socket" | "other" | undefined;
  isExecutable(path: string): boolean;
}

/** The files as they are when one more, which is empty, is among them. */
export function withNewFile(files: NodeFiles, path: string): NodeFiles {
  const [directory, name] = [toDirectory(path), toName(path)];
  return {
    ...files,
    readText: (asked) => (asked === path ? { text: "" } : files.readText(asked)),
    list: (asked) => (asked === directory ? [...files.list(asked), name].toSorted() : files.list(asked)),
    kind: (asked) => (asked === path ? "file" : files.kind(asked)),
  };
}
