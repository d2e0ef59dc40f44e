// SPDX-License-Identifier: Apache-2.0

import { err, type Result } from "@rthooks/result";
import type { TomlEdit, TomlError } from "@rthooks/toml";

/** Separates the name of a file from the time stamp of its backup. */
export const BACKUP_SUFFIX = ".tetragon-";

/** One edit of one file. */
export interface PlannedEdit {
  readonly path: string;
  readonly edit: TomlEdit;
}

/** A wanted change of containerd's configuration. */
export type ContainerdPatch =
  | ({ readonly kind: "enable-nri" } & EnableNri)
  | { readonly kind: "disable-nri" }
  | { readonly kind: "add-oci-hook"; readonly baseSpecPath: string }
  | { readonly kind: "remove-oci-hook"; readonly baseSpecPath: string };

export interface EnableNri {
  /** The plugin without which the validator rejects containers; undefined for none. */
  readonly requirePlugin: string | undefined;
  /** "2.2.0"; undefined if it is unknown. */
  readonly containerdVersion: string | undefined;
}

export interface FileChange {
  readonly path: string;
  /** Undefined for a new file. */
  readonly before: string | undefined;
  readonly after: string;
  /** A directory where no import matches the backup; the directory of the file if undefined. */
  readonly backupDirectory?: string;
}

export interface FilePlan {
  /** The files that have to change; empty if the patch is in effect already. */
  readonly changes: readonly FileChange[];
  /** For the operator, one line each: what the change does not cover, or what could undo it. */
  readonly notes: readonly string[];
}

export type PatchError =
  | { readonly kind: "toml"; readonly path: string; readonly error: TomlError }
  | { readonly kind: "rejected"; readonly path: string; readonly message: string };

/** The patch cannot be applied to this file; `message` continues a line that begins with the path. */
export const rejectPatch = (path: string, message: string): Result<never, PatchError> =>
  err({ kind: "rejected", path, message });
