// SPDX-License-Identifier: Apache-2.0
// The processes of records, also those that are older than the agent.

import type { EventRecord } from "@rthooks/bpf";
import type { ProcessCache } from "./process-cache.ts";
import type { ProcessEntry } from "./process-entry.ts";
import type { ProcessReader } from "./process-reader.ts";
import { unknownProgram } from "./program.ts";
import { isSameTick } from "./start-ticks.ts";

export interface ProcessFinder {
  /** Undefined for a process of which nothing is known. */
  findParent(record: EventRecord): ProcessEntry | undefined;
  /** The process of the record; one of which nothing else is known has its numbers alone. */
  findOrAdd(record: EventRecord): ProcessEntry;
}

export interface FinderOptions {
  readonly cache: ProcessCache;
  readonly reader: ProcessReader;
  /** Processes that are read from /proc in a second for one container: each is some system calls. */
  readonly readsPerSecond: number;
  /** Since the boot. */
  nowMs(): number;
}

export function createProcessFinder(options: FinderOptions): ProcessFinder {
  const { cache, reader } = options;
  const mayRead = createReadBudget(options);

  /** It is older than the agent, or was removed to make room. */
  const readProcess = (
    pid: number,
    startTime: bigint,
    chargedTo: bigint,
    parent: ProcessEntry | undefined,
  ): ProcessEntry | undefined => {
    const found = pid !== 0 && mayRead(chargedTo) ? reader.read(pid) : undefined;
    if (found === undefined || !isSameTick(found.startTime, startTime)) return undefined;
    const { startTime: programTime, program, uid, namespacePid } = found;
    // The process of a container, or the parent of one: the runtime, which is in no PID namespace of a container.
    const container = namespacePid === pid ? 0n : chargedTo;
    return cache.put({
      ...{
        pid,
        startTime,
        programTime,
        uid,
        namespacePid,
        origin: "procfs",
        program,
        parent,
        container,
        chargedTo,
      },
    });
  };

  const findParent = ({ parentPid, parentStartTime, container }: EventRecord): ProcessEntry | undefined =>
    cache.find(parentPid, parentStartTime) ?? readProcess(parentPid, parentStartTime, container, undefined);

  const findOrAdd = (record: EventRecord): ProcessEntry => {
    const { pid, startTime, container, uid } = record;
    const known = cache.find(pid, startTime);
    if (known !== undefined) return known;
    const parent = findParent(record);
    return (
      readProcess(pid, startTime, container, parent) ??
      cache.put({
        ...{ pid, startTime, programTime: startTime, uid, origin: "unknown", program: unknownProgram },
        ...{ parent, container, chargedTo: container, namespacePid: undefined },
      })
    );
  };

  return { findParent, findOrAdd };
}

/** How many processes may still be read from /proc for a container in this second. */
function createReadBudget({
  readsPerSecond,
  nowMs,
}: Pick<FinderOptions, "readsPerSecond" | "nowMs">): (container: bigint) => boolean {
  const reads = new Map<bigint, number>();
  let sinceMs = nowMs();
  return (container) => {
    if (nowMs() - sinceMs >= 1_000) {
      reads.clear();
      sinceMs = nowMs();
    }
    const count = reads.get(container) ?? 0;
    reads.set(container, count + 1);
    return count < readsPerSecond;
  };
}
