// SPDX-License-Identifier: Apache-2.0
// Files that come to their place whole or not at all: written beside it under a name that no program reads, made
// durable, looked at, and renamed.

import { randomBytes } from "node:crypto";
import { linkSync } from "node:fs";
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const STAGED = ".tetragon-staged-";

export interface StagedFile {
  readonly path: string;
  /** Renames it into place. */
  publish(): Promise<PublishedFile>;
  discard(): Promise<void>;
}

export interface PublishedFile {
  /** Brings back what was there before. */
  undo(): Promise<void>;
  /** There is no way back from here. */
  settle(): Promise<void>;
}

/** The file's mode, and its owner where that is to be another one than this process's. */
export interface Access {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Not ending like the file itself: a hooks directory's `*.json` are all read, hidden ones too. */
const stagedName = (path: string): string =>
  join(dirname(path), `${STAGED}${basename(path)}.${randomBytes(6).toString("hex")}`);

export const stageCopy = (source: string, path: string, access: Access): Promise<StagedFile> =>
  stage(path, access, (staged) => copyInto(source, staged));

export const stageText = (text: string, path: string, access: Access): Promise<StagedFile> =>
  stage(path, access, (staged) => writeAll(staged, Buffer.from(text)));

async function stage(
  path: string,
  { mode, uid, gid }: Access,
  write: (staged: FileHandle) => Promise<void>,
): Promise<StagedFile> {
  const staged = stagedName(path);
  const discard = (): Promise<void> => rm(staged, { force: true });
  try {
    // Only root can open it until it has the owner that its mode is for.
    const file = await open(staged, "wx", 0o600);
    try {
      if (uid !== undefined && gid !== undefined) await file.chown(uid, gid);
      await file.chmod(mode);
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    path: staged,
    discard,
    async publish() {
      const old = stagedName(path);
      let hadOld = true;
      try {
        linkSync(path, old);
      } catch {
        // Nothing was there, or nothing that can be linked: then there is no way back but to nothing.
        hadOld = false;
      }
      await rename(staged, path);
      await syncDirectory(dirname(path));
      return {
        undo: () => (hadOld ? rename(old, path) : rm(path, { force: true })),
        settle: () => rm(old, { force: true }),
      };
    },
  };
}

const PIECE_BYTES = 1024 * 1024;

async function copyInto(source: string, target: FileHandle): Promise<void> {
  const file = await open(source, "r");
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return;
      await writeAll(target, piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
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

/** Staged files of runs that were killed. The caller has the directory's lock: none of them is in use. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(STAGED)) await rm(join(directory, name), { force: true });
  }
}
