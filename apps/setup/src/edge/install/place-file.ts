// SPDX-License-Identifier: Apache-2.0
// The atomic files of libs/sys for code that throws, and an undo for those on which later steps depend.

import { linkSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Result } from "@rthooks/result";
import { renderSysError, type SysError } from "@rthooks/sys";
import {
  type FileOptions,
  removeStaged,
  replaceFile,
  type StagedFile,
  toStagedPath,
} from "@rthooks/sys/atomic-file";

export interface PublishedFile {
  /** Restores the previous file. */
  undo(): Promise<void>;
  /** Removes the previous file; `undo` must not be called afterwards. */
  settle(): Promise<void>;
}

/** Throws an error with its code. */
export const placeText = (path: string, text: string, options: FileOptions): void =>
  orThrow(replaceFile(path, text, options));

/** Keeps the previous file under a staged name until `settle`. */
export function publishUndoable(staged: StagedFile): PublishedFile {
  const { target } = staged;
  const old = toStagedPath(target);
  let hadOld = true;
  try {
    linkSync(target, old);
  } catch {
    // No file, or one that cannot be linked: undo removes the new file.
    hadOld = false;
  }
  orThrow(staged.publish());
  return {
    undo: async () => (hadOld ? renameSync(old, target) : rm(target, { force: true })),
    settle: () => rm(old, { force: true }),
  };
}

/** Removes the staged files of killed runs. Needs the directory's lock, under which no staged file is in use. */
export function removeLeftovers(directory: string): void {
  orThrow(removeStaged(directory, { minAgeMs: 0 }));
}

/** The code of the error lets describeFileError explain it. */
export function orThrow<T>(result: Result<T, SysError>): T {
  if (result.ok) return result.value;
  throw Object.assign(new Error(renderSysError(result.error)), { code: result.error.code });
}
