// SPDX-License-Identifier: Apache-2.0

/** The files of the node that is looked at. Paths are the node's own; no link leads out of its root. */
export interface NodeFiles {
  /** Undefined where there is none. Nothing is ever waited for, and what is too large is an error in one line. */
  readText(path: string): { readonly text: string } | { readonly problem: string } | undefined;
  /** Names in a directory, sorted; none where there is no directory. */
  list(path: string): readonly string[];
  kind(path: string): "file" | "directory" | "socket" | "other" | undefined;
  isExecutable(path: string): boolean;
}
