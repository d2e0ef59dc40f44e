// SPDX-License-Identifier: Apache-2.0
// `follow FILE`: prints the lines of a file as they are appended, until SIGINT or SIGTERM.

import { once } from "node:events";
import { resolve } from "node:path";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { followOutput } from "@rthooks/sys/follow-output";
import { repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import type { FollowRequest } from "../core/follow-flags.ts";
import { followLog } from "./followed-log.ts";

/** Also how much of a file that exists already is searched for its last lines. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const ACTIVE_MS = 100;
/** For what was appended before the signal, where the reader of the output is slow. */
const LAST_PRINT_MS = 1000;

/**
 * Resolves when a signal has come and what was appended before it is printed. `notify` gets what keeps the file from being
 * followed, one line, when it changes.
 */
export async function printLines(
  { path, lines }: FollowRequest,
  notify: (problem: string) => void,
): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop());
  followOutput();

  let found: Uint8Array[] = [];
  let problem = "";
  const log = followLog(resolve(path), {
    tail: { bytes: MAX_LINE_BYTES, lines },
    maxLineBytes: MAX_LINE_BYTES,
    onLine: (line) => void found.push(Buffer.concat([line, newline])),
    onTooLong: () => notify(`a line of more than ${MAX_LINE_BYTES} bytes is left out`),
  });
  const print = async (): Promise<void> => {
    const text = Buffer.concat(found);
    found = [];
    // One look at a time: what is not printed yet is not followed by more.
    if (text.length > 0 && !process.stdout.write(text)) await once(process.stdout, "drain");
  };
  const look = async (): Promise<"quiet"> => {
    for (let hasMore = true; hasMore; ) {
      const seen = await log.look();
      await print();
      if (seen.problem !== "" && seen.problem !== problem) notify(seen.problem);
      ({ hasMore, problem } = seen);
    }
    return "quiet";
  };
  const directories = openDirectoryWatch();
  const looks = repeatLook({ directories, times: toLookTimes(ACTIVE_MS), paths: () => [path], look });
  await stopped;
  // Where the reader of the output does not read, the write keeps the process from ending.
  setTimeout(() => process.exit(0), LAST_PRINT_MS).unref();
  await looks.close();
  await look();
  await log.close();
  directories.close();
}

const newline = new Uint8Array([0x0a]);
