// SPDX-License-Identifier: Apache-2.0
// Files that come to their place whole or not at all: written beside it under a name that nobody reads, made durable,
// looked at, and renamed.

import { randomBytes } from "node:crypto";
import { constants, linkSync } from "node:fs";
import { copyFile, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const STAGED = ".tetragon-staged-";
/** A staged file of an installer that was killed; a living one is done in seconds. */
const STALE_MS = 10 * 60 * 1000;

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

/** Not ending like the file itself: a hooks directory's `*.json` are all read, hidden ones too. */
const stagedName = (path: string): string =>
  join(dirname(path), `${STAGED}${basename(path)}.${randomBytes(6).toString("hex")}`);

export const stageCopy = (source: string, path: string, mode: number): Promise<StagedFile> =>
  stage(path, mode, (staged) => copyFile(source, staged, constants.COPYFILE_EXCL));

export const stageText = (text: string, path: string, mode: number): Promise<StagedFile> =>
  stage(path, mode, (staged) => writeFile(staged, text, { flag: "wx" }));

async function stage(
  path: string,
  mode: number,
  write: (staged: string) => Promise<void>,
): Promise<StagedFile> {
  await removeStale(dirname(path));
  const staged = stagedName(path);
  const discard = (): Promise<void> => rm(staged, { force: true });
  try {
    await write(staged);
    await makeDurable(staged, mode);
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

async function makeDurable(path: string, mode: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.chmod(mode);
    await file.sync();
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

async function removeStale(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(STAGED)) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true });
  }
}
