// SPDX-License-Identifier: Apache-2.0

import { toDirectory, toName } from "./posix-path.ts";

/** The files of the examined node. Paths are as the node sees them; symbolic links resolve within its root. */
export interface NodeFiles {
  /** Undefined if the file does not exist. Never blocks; `problem` is one line, such as for a file that is too large. */
  readText(path: string): { readonly text: string } | { readonly problem: string } | undefined;
  /** Sorted names in a directory; empty if the directory does not exist. */
  list(path: string): readonly string[];
  kind(path: string): "file" | "directory" | "socket" | "other" | undefined;
  isExecutable(path: string): boolean;
}

/** The same files with one more, empty file at `path`. */
export function withNewFile(files: NodeFiles, path: string): NodeFiles {
  const [directory, name] = [toDirectory(path), toName(path)];
  return {
    ...files,
    readText: (asked) => (asked === path ? { text: "" } : files.readText(asked)),
    list: (asked) => (asked === directory ? [...files.list(asked), name].toSorted() : files.list(asked)),
    kind: (asked) => (asked === path ? "file" : files.kind(asked)),
  };
}
