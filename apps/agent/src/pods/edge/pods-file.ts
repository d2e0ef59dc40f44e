// SPDX-License-Identifier: Apache-2.0
// The pod source behind --pods-file: the pods are those of the file as it was last read whole. A file that is missing or
// broken deletes no pod, and one that is written in place deletes none before it has stayed the same for a while.

import type { Pod } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { followFile } from "../../base/edge/followed-file.ts";
import { waitAtMost } from "../../base/edge/wait-at-most.ts";
import type { PodParser } from "../../pods/core/pod-parser.ts";
import type { PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";

export interface PodsFile {
  readonly source: PodSource;
  /** Why the pods are not those of the file, in one line; empty where they are. */
  problem(): string;
  close(): void;
}

const INTERVAL_MS = 250;
/** A file system that does not answer (NFS) must not keep the agent from serving. */
const FIRST_LOOK_MS = 3000;
/** So many looks find the same file before a pod that it does not have any more is deleted: 2 seconds. */
const LOOKS_UNTIL_DELETED = 8;
const MAX_BYTES = 64 * 1024 * 1024;

/** The file was read once when this returns, if it is there and could be read within three seconds. */
export async function openPodsFile(
  path: string,
  parser: Pick<PodParser, "parsePods">,
  log: Logger,
  intervalMs: number = INTERVAL_MS,
): Promise<PodsFile> {
  const store = createPodStore();
  const followed = followFile(path, { maxBytes: MAX_BYTES, isReadAtOnce: true });
  let pods: readonly Pod[] = [];
  let looksSinceRead = 0;
  let unread = "";
  let unused = "";
  let isClosed = false;

  const use = (wanted: readonly Pod[]): void => {
    const uids = new Set(wanted.map(({ uid }) => uid));
    // Those that are missing may stand in the half that is not written yet.
    const missing = [...store.list()].filter(({ uid }) => !uids.has(uid));
    pods = wanted;
    store.replaceAll([...missing, ...wanted]);
    log.info("pods file read", { file: path, pods: wanted.length });
  };

  const note = (error: string, before: string): string => {
    if (error !== "" && error !== before)
      log.error("pods file is not used; the pods stay as they were", { file: path, err: error });
    return error;
  };

  const look = async (): Promise<void> => {
    const seen = await followed.look();
    unread = note("error" in seen ? seen.error : "", unread);
    looksSinceRead = seen.kind === "same" ? looksSinceRead + 1 : 0;
    if (looksSinceRead === LOOKS_UNTIL_DELETED && unused === "") store.replaceAll(pods);
    if (seen.kind !== "read") return;
    const parsed = seen.bytes.ok ? await parser.parsePods(seen.bytes.value) : seen.bytes;
    unused = note(parsed.ok ? "" : parsed.error, unused);
    if (parsed.ok) use(parsed.value);
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookAgain = (): void => {
    timer = setTimeout(async () => {
      await look();
      if (!isClosed) lookAgain();
    }, intervalMs);
  };
  let isRead = false;
  const firstLook = look().then(() => {
    isRead = true;
    if (!isClosed) lookAgain();
  });
  await waitAtMost(firstLook, FIRST_LOOK_MS);
  return {
    source: store,
    problem: () => {
      if (!isRead) return `the pods file ${path} is not read yet: its file system does not answer`;
      const error = unread || unused;
      return error === "" ? "" : `the pods file ${path} is not used, pods may be out of date: ${error}`;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
