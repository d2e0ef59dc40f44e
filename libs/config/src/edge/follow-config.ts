// SPDX-License-Identifier: Apache-2.0
// Reports changes of the files in --config-dir: a flag counts from the start of its program on.

import { join } from "node:path";
import type { Logger } from "@rthooks/log";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import { type RepeatedLook, repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import type { Setting } from "../core/setting.ts";
import { readConfigDirectory } from "./read-config-directory.ts";

export interface FollowedConfig {
  readonly directory: string;
  /** What counts, as it was read at the start. */
  readonly files: readonly Setting[];
  /** Whether a file of this name would be read: it is a flag that nothing with precedence gives. */
  isRead(name: string): boolean;
}

/** One line for each flag whose value differs from that of the start, and again when it has changed once more. */
export function followConfig(
  { directory, files, isRead }: FollowedConfig,
  directories: DirectoryWatch,
  log: Logger,
): RepeatedLook {
  const atStart = toTexts(files);
  let told: ReadonlyMap<string, string> = atStart;
  let seen = "";
  let problem = "";

  const report = (now: ReadonlyMap<string, string>): void => {
    for (const name of new Set([...told.keys(), ...now.keys()])) {
      if (told.get(name) === now.get(name)) continue;
      const fields = { flag: `--${name}`, file: join(directory, name) };
      if (now.get(name) === atStart.get(name)) log.info("a flag is again as it was at the start", fields);
      else log.warn("a flag has changed: it counts after a restart", fields);
    }
    told = now;
  };

  return repeatLook({
    directories,
    times: toLookTimes(250),
    paths: () => [directory, join(directory, "..data")],
    async look() {
      const read = await readConfigDirectory(directory, isRead);
      const look = read.ok ? JSON.stringify(read.value.settings) : read.error;
      // What is being written is looked at once more.
      const isSettled = look === seen;
      seen = look;
      if (!isSettled) return "active";
      if (read.ok) report(toTexts(read.value.settings));
      else if (read.error !== problem) log.warn("the configuration cannot be read", { err: read.error });
      problem = read.ok ? "" : read.error;
      return "quiet";
    },
  });
}

const toTexts = (settings: readonly Setting[]): ReadonlyMap<string, string> =>
  new Map(settings.map(({ name, text }) => [name, text]));
