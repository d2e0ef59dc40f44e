// SPDX-License-Identifier: Apache-2.0
// The owner mark names the `install --daemonize` that owns the files of a directory: the last one that installed there.
// It is a file beside them, locked while its owner runs. A daemon changes and removes only files under its own mark.

import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "@rthooks/result";
import { stageFile } from "@rthooks/sys/atomic-file";
import { parseExactJson } from "../../core/exact-json.ts";
import { tryLock } from "./lock-directories.ts";
import { orThrow, placeText } from "./place-file.ts";

export interface OwnerMark {
  /** "absent" if the mark does not exist. */
  find(): Promise<"own" | "another" | "absent">;
  /** Removes the mark unless it names another owner. Needs the directory's lock. */
  remove(): Promise<void>;
  /** Unlocks the mark without removing it. */
  close(): Promise<void>;
}

const markPath = (directory: string, name: string): string => join(directory, `.${name}.owner`);

const MARK_ACCESS = { mode: 0o644 };

/**
 * Makes this run the owner of the files. `daemonSet`: of the run's pod, empty if it has none. Needs the directory's lock.
 */
export async function claimFiles(directory: string, name: string, daemonSet: string): Promise<OwnerMark> {
  const path = markPath(directory, name);
  const id = randomBytes(16).toString("hex");
  const since = new Date().toISOString();
  const mark = { owner: id, since, ...(daemonSet === "" ? {} : { daemonset: daemonSet }) };
  const text = `${JSON.stringify(mark)}\n`;
  const staged = orThrow(stageFile(path, text, MARK_ACCESS));
  let file: FileHandle;
  try {
    file = await open(staged.path, "r");
    tryLock(file.fd, path, "shared");
    orThrow(staged.publish());
  } catch (error) {
    staged.discard();
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
 * The DaemonSet whose pod owns the files, while that pod runs; undefined if no pod of another DaemonSet than `own` does.
 * Needs the directory's lock.
 */
export async function findOtherDaemonSet(
  directory: string,
  name: string,
  own: string,
): Promise<string | undefined> {
  const path = markPath(directory, name);
  const text = await readFile(path, "utf8").catch(() => "");
  const daemonSet = parseExactJson(text)?.["daemonset"];
  if (typeof daemonSet !== "string" || daemonSet === own) return undefined;
  const file = await open(path, "r").catch(() => undefined);
  try {
    return file === undefined || tryLock(file.fd, path, "exclusive") ? undefined : daemonSet;
  } finally {
    await file?.close();
  }
}

/**
 * Ends the ownership of the files, for a run that is not a daemon. If the owner runs, a mark without an owner replaces
 * its mark, to distinguish this case from a lost mark. Needs the directory's lock.
 */
export async function releaseFiles(directory: string, name: string): Promise<void> {
  const path = markPath(directory, name);
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch {
    return;
  }
  try {
    if (tryLock(file.fd, path, "exclusive")) await rm(path, { force: true });
    else placeText(path, '{"owner":null}\n', MARK_ACCESS);
  } finally {
    await file.close();
  }
}

/**
 * Removes a mark without an owner, when the daemon for which it was written has read it. Needs the directory's lock.
 */
export async function removeReleasedMark(directory: string, name: string): Promise<void> {
  const path = markPath(directory, name);
  const text = await readFile(path, "utf8").catch(() => "");
  const mark = parseExactJson(text);
  if (isJsonObject(mark) && mark["owner"] === null) await rm(path, { force: true });
}
