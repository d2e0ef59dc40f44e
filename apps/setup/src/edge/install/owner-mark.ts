// SPDX-License-Identifier: Apache-2.0
// Which `install --daemonize` a directory's files belong to: the one that installed last. Its mark is a file beside
// them, which it keeps locked while it lives; each daemon changes and removes only what has its own mark.

import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, parseExactJson } from "../../core/exact-json.ts";
import { tryLock } from "./lock-directories.ts";
import { stageText } from "./place-file.ts";

export interface OwnerMark {
  /** "absent" where the mark was removed and none came in its place. */
  find(): Promise<"own" | "another" | "absent">;
  /** The caller has the directory's lock. Leaves another owner's mark as it is. */
  remove(): Promise<void>;
  /** Lets go of the mark without removing it. */
  close(): Promise<void>;
}

const markPath = (directory: string, binaryName: string): string => join(directory, `.${binaryName}.owner`);

const MARK_ACCESS = { mode: 0o644 };

/** The caller has the directory's lock. Takes the files from their owner until now. */
export async function claimFiles(directory: string, binaryName: string): Promise<OwnerMark> {
  const path = markPath(directory, binaryName);
  const id = randomBytes(16).toString("hex");
  const text = `${JSON.stringify({ owner: id, since: new Date().toISOString() })}\n`;
  const staged = await stageText(text, path, MARK_ACCESS);
  let file: FileHandle;
  try {
    file = await open(staged.path, "r");
    tryLock(file.fd, path, "shared");
    await (await staged.publish()).settle();
  } catch (error) {
    await staged.discard();
    throw error;
  }
  const find = async (): Promise<"own" | "another" | "absent"> => {
    const found = await readFile(path, "utf8").catch(() => undefined);
    if (found === undefined) return "absent";
    return parseExactJson(found)?.["owner"] === id ? "own" : "another";
  };
  return {
    find,
    async remove() {
      if ((await find()) === "own") await rm(path, { force: true });
    },
    close: () => file.close(),
  };
}

/**
 * For what is not a daemon and installs or uninstalls: the files have no owner from now on. A daemon that lives finds a
 * mark without an owner, so that it knows that they were taken from it and not lost. The caller has the lock.
 */
export async function releaseFiles(directory: string, binaryName: string): Promise<void> {
  const path = markPath(directory, binaryName);
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch {
    return;
  }
  try {
    if (tryLock(file.fd, path, "exclusive")) await rm(path, { force: true });
    else await (await (await stageText('{"owner":null}\n', path, MARK_ACCESS)).publish()).settle();
  } finally {
    await file.close();
  }
}

/** A mark that {@link releaseFiles} has left for a daemon, which has seen it. The caller has the lock. */
export async function removeReleasedMark(directory: string, binaryName: string): Promise<void> {
  const path = markPath(directory, binaryName);
  const text = await readFile(path, "utf8").catch(() => "");
  const mark = parseExactJson(text);
  if (isJsonObject(mark) && mark["owner"] === null) await rm(path, { force: true });
}
