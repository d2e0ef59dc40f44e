// SPDX-License-Identifier: Apache-2.0
// The pod source behind --pods-file: the pods of the file as it was last parsed. A missing or invalid file changes nothing.
// A pod that a new version of the file lacks counts as unlisted once the file has not changed for a while: the file may be
// written in place, and be incomplete until then.

import type { Pod } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import { type LookTimes, repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import { followFile } from "../../base/edge/followed-file.ts";
import { waitAtMost } from "../../base/edge/wait-at-most.ts";
import type { PodParser } from "../../pods/core/pod-parser.ts";
import type { PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";

export interface PodsFile {
  readonly source: PodSource;
  /** Why the pods may be out of date, one line for users; empty where they are not. */
  problem(): string;
  /** Whether the file was ever used. */
  isKnown(): boolean;
  close(): void;
}

export interface PodsFileOptions {
  readonly path: string;
  readonly parser: Pick<PodParser, "parsePods">;
  readonly log: Logger;
  readonly directories: DirectoryWatch;
  readonly times?: LookTimes;
}

/** While the file is changing. */
const ACTIVE_MS = 250;
/** A file system that does not answer (NFS) must not keep the agent from serving. */
const FIRST_READ_MS = 3000;
/** Looks that find the file unchanged before pods that it lacks count as unlisted: 2 seconds. */
const LOOKS_UNTIL_UNLISTED = 8;
const MAX_BYTES = 64 * 1024 * 1024;

/** Resolves once the file was read, or after three seconds. */
export async function openPodsFile(options: PodsFileOptions): Promise<PodsFile> {
  const { path, parser, log, directories, times = toLookTimes(ACTIVE_MS) } = options;
  const store = createPodStore();
  const followed = followFile(path, { maxBytes: MAX_BYTES, isReadAtOnce: true });
  let pods: readonly Pod[] = [];
  let looksSinceRead = 0;
  let unread = "";
  let unused = "";
  let isUsed = false;

  const use = (parsed: readonly Pod[]): void => {
    const uids = new Set(parsed.map(({ uid }) => uid));
    // Missing pods may be in the part of the file that is not written yet.
    const missing = [...store.list()].filter(({ uid }) => !uids.has(uid));
    pods = parsed;
    isUsed = true;
    store.replaceAll([...missing, ...parsed]);
    log.info("pods file read", { path, pods: parsed.length });
  };

  const logNewError = (error: string, before: string): string => {
    if (error !== "" && error !== before) {
      log.error("pods file not used, keeping the last known pods", { path, err: error });
    }
    return error;
  };

  const look = async (): Promise<"quiet" | "active"> => {
    const seen = await followed.look();
    unread = logNewError("error" in seen ? seen.error : "", unread);
    looksSinceRead = seen.kind === "same" ? looksSinceRead + 1 : 0;
    if (looksSinceRead === LOOKS_UNTIL_UNLISTED && unused === "") store.replaceAll(pods);
    if (seen.kind !== "read") {
      return seen.kind === "missing" || looksSinceRead >= LOOKS_UNTIL_UNLISTED ? "quiet" : "active";
    }
    const parsed = seen.bytes.ok ? await parser.parsePods(seen.bytes.value) : seen.bytes;
    unused = logNewError(parsed.ok ? "" : parsed.error, unused);
    if (parsed.ok) use(parsed.value);
    return "active";
  };

  let isRead = false;
  const looks = repeatLook({ directories, times, paths: () => [path], look });
  const firstLook = looks.first.then(() => {
    isRead = true;
  });
  await waitAtMost(firstLook, FIRST_READ_MS);
  return {
    source: store,
    isKnown: () => isUsed,
    problem: () => {
      if (!isRead) return `the pods file ${path} has not been read yet: its file system does not answer`;
      const error = unread || unused;
      return error === "" ? "" : `the pods file ${path} is not used, pods may be out of date: ${error}`;
    },
    close: looks.close,
  };
}
