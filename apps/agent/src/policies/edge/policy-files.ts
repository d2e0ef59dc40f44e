// SPDX-License-Identifier: Apache-2.0
// Policies from files: one that is named, and all of a directory, which are looked at again and again. A policy leaves
// with its file only after many looks in a row have found no file.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { isMissing } from "../../base/edge/followed-file.ts";
import { waitAtMost } from "../../base/edge/wait-at-most.ts";
import type { PolicyParser } from "../core/policy-parser.ts";
import type { PolicyStore } from "../core/policy-store.ts";
import { LOOKS_UNTIL_GONE, openPolicyFile, type PolicyFile } from "./policy-file.ts";

export interface PolicyFilesOptions {
  /** Empty for none. */
  readonly file: string;
  /** Empty for none. One that does not exist has no policies yet. */
  readonly directory: string;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  /** Called once, when all has been read without an error for as long as it takes until a file counts as gone. */
  onSettled(): void;
  readonly intervalMs?: number;
}

export interface PolicyFiles {
  /** What cannot be read or used, in one line; empty where all is well. */
  problem(): string;
  close(): void;
}

const INTERVAL_MS = 500;
/** A file system that does not answer (NFS) must not keep the agent from serving. */
const FIRST_LOOK_MS = 3000;

/** What is there and can be used is in force when this returns, if it could be read within three seconds. */
export async function openPolicyFiles(options: PolicyFilesOptions): Promise<PolicyFiles> {
  const { file, directory, policies, parser, log, onSettled, intervalMs = INTERVAL_MS } = options;
  const known = new Map<string, PolicyFile>();
  let isFirstLook = true;
  let unlisted = "";
  let calmLooks = 0;
  let isClosed = false;

  const find = (path: string): PolicyFile => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const findOwner: Parameters<typeof openPolicyFile>[0]["findOwner"] = ({ name, namespace }) =>
      [...known].find(([other, one]) => {
        const theirs = one.policy();
        return other !== path && theirs?.name === name && theirs.namespace === namespace;
      })?.[0];
    const made = openPolicyFile({
      path,
      policies,
      parser,
      log,
      isReadAtOnce: isFirstLook,
      isNamed: path === file,
      isClosed: () => isClosed,
      findOwner,
    });
    known.set(path, made);
    return made;
  };

  const lookAtDirectory = async (): Promise<void> => {
    const listed = await listFiles(directory);
    if (isClosed) return;
    const error = listed.ok ? "" : listed.error;
    if (error !== unlisted && error !== "")
      log.error("tracing policies cannot be listed: they stay as they are", { directory, err: error });
    unlisted = error;
    if (!listed.ok) return;
    for (const [path, one] of known) {
      if (path === file || listed.value.includes(path)) continue;
      one.miss();
      if (one.isGone()) known.delete(path);
    }
    for (const path of listed.value) if (path !== file) await find(path).look();
  };

  const listNames = (): string =>
    [...known.values()].map((one) => `${one.policy()?.namespace}/${one.policy()?.name}`).join();

  const look = async (): Promise<void> => {
    const names = listNames();
    if (file !== "") await find(file).look();
    if (directory !== "") await lookAtDirectory();
    if (isClosed) return;
    isFirstLook = false;
    // What one file has given up another one may have.
    if (listNames() !== names) for (const one of known.values()) one.retry();
    const isCalm = unlisted === "" && [...known.values()].every((one) => one.isSettled());
    calmLooks = isCalm ? calmLooks + 1 : 0;
    if (calmLooks !== LOOKS_UNTIL_GONE || isSettled) return;
    isSettled = true;
    onSettled();
    // Filters of an earlier agent may have left room.
    for (const one of known.values()) one.retry();
  };
  let isSettled = false;

  const lookAgain = (): void => {
    timer = setTimeout(async () => {
      await look();
      if (!isClosed) lookAgain();
    }, intervalMs);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const firstLook = look().then(() => {
    if (!isClosed) lookAgain();
  });
  await waitAtMost(firstLook, FIRST_LOOK_MS);
  return {
    problem() {
      if (isFirstLook) return "the policy files are not read yet: their file system does not answer";
      if (unlisted !== "") return `the policies of ${directory} cannot be listed: ${unlisted}`;
      const [first = "", ...others] = [...known.values()].flatMap((one) => one.problem() || []);
      return others.length === 0 ? first : `${first} (and ${others.length} more, see tetragon policies)`;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Names in their order, so that of two files with one policy it is always the same that counts. */
async function listFiles(directory: string): Promise<Result<readonly string[], string>> {
  let entries: readonly Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    return isMissing(error) ? ok([]) : err(describeError(error));
  }
  const paths = entries
    .filter((entry) => /\.(ya?ml|json)$/.test(entry.name) && !entry.name.startsWith("."))
    .map((entry) => join(directory, entry.name));
  return ok(paths.toSorted());
}
