// SPDX-License-Identifier: Apache-2.0

import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { listDirectories } from "../../base/edge/list-directories.ts";

/** A container may have more of each; what is not listed has no program in its events. */
const MAX_CGROUPS = 1_024;
const MAX_PROCESSES = 16_384;
/** Of cgroup.procs: some thousand processes of one cgroup. */
const MAX_BYTES = 64 * 1024;
/** A directory with more links is not listed: that would take long, and the ring buffer waits meanwhile. */
const MAX_LINKS = 4_096;

/**
 * PIDs of the processes in the cgroup and those below it (cgroup.procs), as far as the files can be read, bounded. Files are
 * read while the result is iterated over. A process in another PID namespace than the agent's or one below it has no PID.
 */
export function* listProcesses(cgroup: string): Generator<number> {
  const directories = [cgroup];
  let count = 0;
  for (const directory of directories) {
    for (const pid of readPids(directory)) {
      if (count++ === MAX_PROCESSES) return;
      yield pid;
    }
    for (const name of listBelow(directory)) {
      if (directories.length < MAX_CGROUPS) directories.push(join(directory, name));
    }
  }
}

/** In their order: a parent has mostly a lower one than its children. */
function readPids(cgroup: string): readonly number[] {
  const bytes = Buffer.alloc(MAX_BYTES);
  const length = readFile(join(cgroup, "cgroup.procs"), bytes);
  const text = bytes.toString("latin1", 0, length);
  // What stands behind the last line end may be a part of a number.
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines
    .map(Number)
    .filter((pid) => pid > 0)
    .sort((one, other) => one - other);
}

/** How many bytes were read; 0 where the file cannot be read: the cgroup is gone or a threaded one. */
function readFile(path: string, bytes: Uint8Array): number {
  let length = 0;
  try {
    const file = openSync(path, "r");
    try {
      // The kernel gives a page at a time.
      for (let some = -1; some !== 0 && length < bytes.length; length += some)
        some = readSync(file, bytes, length, bytes.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch {}
  return length;
}

function listBelow(cgroup: string): readonly string[] {
  try {
    return lstatSync(cgroup).nlink > MAX_LINKS ? [] : listDirectories(cgroup);
  } catch {
    return [];
  }
}
