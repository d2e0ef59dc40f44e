// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";

/** What a process holds. */
export interface ProcessUsage {
  /** Resident memory in MB without the pages of files, which are those of the program itself. */
  readonly anonymousMb: number;
  readonly descriptors: number;
  /** Directories that its inotify descriptors watch. */
  readonly watches: number;
  readonly threads: number;
}

/** See proc_pid_status(5) and proc_pid_fdinfo(5). */
export function readProcessUsage(pid: number): ProcessUsage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
  const descriptors = readdirSync(`/proc/${pid}/fdinfo`);
  // A descriptor and its duplicate list the same watches.
  const watches = new Set(descriptors.flatMap((fd) => listWatches(`/proc/${pid}/fdinfo/${fd}`)));
  return {
    anonymousMb: read("RssAnon") / 1024,
    descriptors: descriptors.length,
    watches: watches.size,
    threads: read("Threads"),
  };
}

function listWatches(fdinfo: string): readonly string[] {
  try {
    return readFileSync(fdinfo, "utf8").match(/^inotify wd:.*/gm) ?? [];
  } catch {
    return []; // It was closed meanwhile.
  }
}
