// SPDX-License-Identifier: Apache-2.0

import type { EventContainer, ProcessFacts } from "./agent-event.ts";
import type { Program } from "./program.ts";

/** A program that a process has begun, or a process that has begun none itself. */
export interface ProcessEntry {
  readonly pid: number;
  /** Of the process; with `pid` it tells processes apart. */
  readonly startTime: bigint;
  /** Of the program: since the boot, in nanoseconds. */
  readonly programTime: bigint;
  /** The same as Unix time, by the clock of the node when the entry was made. */
  readonly programUnixNs: bigint;
  readonly execId: string;
  readonly parentExecId: string;
  readonly uid: number;
  /** In the innermost PID namespace of the process. */
  readonly namespacePid: number | undefined;
  /** Whether it comes from the first process of its container, and not from a call such as `kubectl exec`. */
  readonly inInitTree: boolean;
  readonly origin: EntryOrigin;
  /** Id of the container's root cgroup; 0: in none, or not known. */
  readonly container: bigint;
  /** Undefined where it was not known, and when no record can be about this process any more. */
  parent: ProcessEntry | undefined;
  /** unknownProgram once the cache has forgotten it. */
  program: Program;
  /** Entries on record whose parent it is. */
  children: number;
  /** The last that were made: most events of a process have the same. */
  facts: ProcessFacts | undefined;
  isRunning: boolean;
}

/** How the process came to be known; "first-exec": its first program since it was made. */
type EntryOrigin = "exec" | "first-exec" | "fork" | "procfs" | "unknown";

/** What of a process is of one event. */
interface EventSubject {
  readonly tid: number;
  readonly uid: number;
  readonly container: EventContainer | undefined;
}

/** The words of Tetragon. */
function toFlags({ origin, program }: ProcessEntry): readonly string[] {
  switch (origin) {
    case "exec":
      return ["execve", ...program.flags];
    case "first-exec":
      return ["execve", ...program.flags, "clone"];
    case "fork":
      return ["clone"];
    case "procfs":
      return ["procFS", ...program.flags];
    case "unknown":
      return program.flags;
  }
}

/** The same object as before where nothing has changed: what is made of it is made once (remember-answers.ts). */
export function toFacts(entry: ProcessEntry, { tid, uid, container }: EventSubject): ProcessFacts {
  const { program, facts: last } = entry;
  const refcnt = entry.children + (entry.isRunning ? 1 : 0);
  if (last?.tid === tid && last.uid === uid && last.container === container && last.refcnt === refcnt) {
    return last;
  }
  entry.facts = {
    pid: entry.pid,
    tid,
    startTimeNs: entry.programUnixNs,
    uid,
    auid: program.auid,
    namespacePid: entry.namespacePid,
    binary: program.binary,
    arguments: program.arguments,
    cwd: program.cwd,
    flags: toFlags(entry),
    inInitTree: entry.inInitTree,
    execId: entry.execId,
    parentExecId: entry.parentExecId,
    ...{ refcnt, container },
  };
  return entry.facts;
}
