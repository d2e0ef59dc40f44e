// SPDX-License-Identifier: Apache-2.0

import type { TomlError } from "@rthooks/toml";

/** Of a copy of the old text; a time comes behind it. */
export const BACKUP_SUFFIX = ".tetragon-";

export interface FileChange {
  readonly path: string;
  /** Undefined for a file that is not there yet. */
  readonly before: string | undefined;
  readonly after: string;
  /** Where a copy of the old text is not read by any import; beside the file if it is not given. */
  readonly backupDirectory?: string;
}

export interface FilePlan {
  /** Files that have to change. */
  readonly changes: readonly FileChange[];
  /** For people, one line each: what the change does not cover, or could undo it. */
  readonly notes: readonly string[];
}

export type PatchError =
  | { readonly kind: "toml"; readonly path: string; readonly error: TomlError }
  | { readonly kind: "refused"; readonly path: string; readonly message: string };
