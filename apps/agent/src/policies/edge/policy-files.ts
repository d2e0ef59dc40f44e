// SPDX-License-Identifier: Apache-2.0
// Policies from files: the file of --tracing-policy and all of --tracing-policy-dir, watched for changes. A policy is removed
// with its file only after many reads in a row have found no file.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import { isMissing } from "@rthooks/sys/is-missing";
import { type LookTimes, repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import type { PolicyParser } from "../core/policy-parser.ts";
import type { PolicyStore } from "../core/policy-store.ts";
import { openPolicyFile, type PolicyFile, READS_UNTIL_GONE } from "./policy-file.ts";

export interface PolicyFilesOptions {
  /** Empty: none. */
  readonly file: string;
  /** Empty: none. A directory that does not exist has no policies yet. */
  readonly directory: string;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  /** Called once, when everything has been read without an error for as long as it takes to remove a missing file. */
  onSettled(): void;
  readonly directories: DirectoryWatch;
  readonly times?: LookTimes;
  /** How long the file system may take for each answer, until it is not waited for any more. */
  readonly firstReadMs?: number;
}

export interface PolicyFiles {
  /** What cannot be read or used, in one line; empty without an error. */
  problem(): string;
  close(): void;
}

/** While a file is changing or missing. */
const ACTIVE_MS = 500;
/** A file system that does not answer (NFS) must not keep the agent from serving. */
const FIRST_READ_MS = 3000;

/**
 * Resolves when all files have been read once and their policies are in force or refused, or when a file system has not
 * answered for some seconds.
 */
export async function openPolicyFiles(options: PolicyFilesOptions): Promise<PolicyFiles> {
  const { file, directory, directories, policies, parser, log, onSettled } = options;
  const { firstReadMs = FIRST_READ_MS } = options;
  const known = new Map<string, PolicyFile>();
  let isFirstRead = true;
  let unlisted = "";
  let calmReads = 0;
  /** Resolves when the file system has not answered for a while. */
  const silence = Promise.withResolvers<void>();
  const access = async <T>(answer: Promise<T>): Promise<T> => {
    const timer = setTimeout(silence.resolve, firstReadMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  };
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
      isReadAtOnce: isFirstRead,
      isNamed: path === file,
      isClosed: () => isClosed,
      access,
      findOwner,
    });
    known.set(path, made);
    return made;
  };

  const readDirectory = async (): Promise<void> => {
    const listed = await access(listFiles(directory));
    if (isClosed) return;
    const error = listed.ok ? "" : listed.error;
    if (error !== unlisted && error !== "")
      log.error("cannot list tracing policy files; keeping their policies", { directory, err: error });
    unlisted = error;
    if (!listed.ok) return;
    for (const [path, one] of known) {
      if (path === file || listed.value.includes(path)) continue;
      await one.miss();
      if (one.isGone()) known.delete(path);
    }
    for (const path of listed.value) if (path !== file) await find(path).read();
  };

  const listNames = (): string =>
    [...known.values()].map((one) => `${one.policy()?.namespace}/${one.policy()?.name}`).join();

  const readAll = async (): Promise<"quiet" | "active"> => {
    const names = listNames();
    if (file !== "") await find(file).read();
    if (directory !== "") await readDirectory();
    if (isClosed) return "quiet";
    isFirstRead = false;
    // A name that one file no longer uses may be another file's.
    if (listNames() !== names) for (const one of known.values()) await one.retry();
    const isCalm = unlisted === "" && [...known.values()].every((one) => one.isSettled());
    calmReads = isCalm ? calmReads + 1 : 0;
    if (calmReads === READS_UNTIL_GONE && !isSettled) {
      isSettled = true;
      onSettled();
      // The removal of an earlier agent's filters may have made room.
      for (const one of known.values()) await one.retry();
    }
    const isSettling = isCalm && !isSettled;
    const isQuiet = unlisted === "" && [...known.values()].every((one) => one.isQuiet());
    return isQuiet && !isSettling ? "quiet" : "active";
  };
  let isSettled = false;

  const looks = repeatLook({
    ...{ directories, times: options.times ?? toLookTimes(ACTIVE_MS) },
    paths: () => [file, directory, ...known.keys()].filter((path) => path !== ""),
    look: readAll,
  });
  // Programs may be loaded for longer than that, for each policy: no container may start before.
  await Promise.race([looks.first, silence.promise]);
  return {
    problem() {
      if (isFirstRead) return "the policy files are not read yet: their file system does not answer";
      if (unlisted !== "") return `cannot list the policy files of ${directory}: ${unlisted}`;
      const [first = "", ...others] = [...known.values()].flatMap((one) => one.problem() || []);
      return others.length === 0 ? first : `${first} (and ${others.length} more, see tetragon policies)`;
    },
    close() {
      isClosed = true;
      void looks.close();
    },
  };
}

/** Sorted, so that of two files with the same policy the same one is always used. */
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
