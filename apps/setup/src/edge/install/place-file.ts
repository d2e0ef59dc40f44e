// SPDX-License-Identifier: Apache-2.0
// Files that are staged under a temporary name, published by a rename, and can be undone until they are settled.

import { randomBytes } from "node:crypto";
import { linkSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Result } from "@rthooks/result";
import { renderSysError, type SysError } from "@rthooks/sys";
import { type FileOptions, removeStaged, stageFile } from "@rthooks/sys/atomic-file";

export interface StagedFile {
  readonly path: string;
  /** Renames it to its final path. */
  publish(): Promise<PublishedFile>;
  discard(): Promise<void>;
}

export interface PublishedFile {
  /** Restores the previous file. */
  undo(): Promise<void>;
  /** Removes the previous file; `undo` must not be called afterwards. */
  settle(): Promise<void>;
}

export async function stageText(text: string, path: string, options: FileOptions): Promise<StagedFile> {
  const staged = orThrow(stageFile(path, text, options));
  return {
    path: staged.path,
    discard: async () => staged.discard(),
    publish: () => publishOver(path, async () => void orThrow(staged.publish())),
  };
}

/** Copies a program of about a hundred megabytes without blocking: an NRI plugin must answer the runtime meanwhile. */
export async function stageCopy(source: string, path: string, mode: number): Promise<StagedFile> {
  const staged = toStagedName(path);
  const discard = (): Promise<void> => rm(staged, { force: true });
  try {
    const file = await open(staged, "wx", mode & 0o700);
    try {
      await file.chmod(mode);
      await copyInto(source, file);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  const publish = async (): Promise<void> => {
    await rename(staged, path);
    await syncDirectory(dirname(path));
  };
  return { path: staged, discard, publish: () => publishOver(path, publish) };
}

/** Keeps the previous file under another name until `settle`. */
async function publishOver(path: string, publish: () => Promise<void>): Promise<PublishedFile> {
  const old = toStagedName(path);
  let hadOld = true;
  try {
    linkSync(path, old);
  } catch {
    // No file, or one that cannot be linked: undo removes the new file.
    hadOld = false;
  }
  await publish();
  return {
    undo: () => (hadOld ? rename(old, path) : rm(path, { force: true })),
    settle: () => rm(old, { force: true }),
  };
}

/** A name that `removeStaged` finds. */
const toStagedName = (path: string): string =>
  join(dirname(path), `.tetragon-staged-${basename(path)}.${randomBytes(6).toString("hex")}`);

const PIECE_BYTES = 1024 * 1024;

async function copyInto(source: string, target: FileHandle): Promise<void> {
  const file = await open(source, "r");
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return;
      for (let at = 0; at < bytesRead; ) at += (await target.write(piece, at, bytesRead - at)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Removes the staged files of killed runs. Needs the directory's lock, under which no staged file is in use. */
export function removeLeftovers(directory: string): void {
  orThrow(removeStaged(directory, { minAgeMs: 0 }));
}

/** The code of the error lets describeFileError explain it. */
function orThrow<T>(result: Result<T, SysError>): T {
  if (result.ok) return result.value;
  throw Object.assign(new Error(renderSysError(result.error)), { code: result.error.code });
}
