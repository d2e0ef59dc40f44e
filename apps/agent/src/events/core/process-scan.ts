// SPDX-License-Identifier: Apache-2.0
// Brings processes of containers that ran before the agent into the cache: when one of them ends, /proc has no program of it.

import type { ProcessCache } from "./process-cache.ts";
import type { FoundProcess, ProcessReader } from "./process-reader.ts";

export interface ProcessScan {
  /** `pids`: the processes of the container with this root cgroup, by their PID in the namespace of the node. */
  add(container: bigint, pids: Iterable<number>): void;
  /** The container has ended. */
  remove(container: bigint): void;
  /** Reads some processes of one container; whether there is more to read. */
  step(): boolean;
}

export interface ScanOptions {
  readonly cache: ProcessCache;
  readonly reader: ProcessReader;
  /** Processes that one step reads: each costs some 100 µs, and the ring buffer waits meanwhile. */
  readonly atOnce: number;
}

export function createProcessScan({ cache, reader, atOnce }: ScanOptions): ProcessScan {
  const waiting = new Map<bigint, Iterator<number>>();

  const put = (found: FoundProcess, chargedTo: bigint, isOfContainer: boolean): void => {
    const { pid, startTime, uid, namespacePid, program, parentPid } = found;
    cache.put({
      ...{ pid, startTime, programTime: startTime, uid, namespacePid, program, chargedTo, origin: "procfs" },
      container: isOfContainer ? chargedTo : 0n,
      parent: cache.findNow(parentPid),
    });
  };

  const read = (pid: number, container: bigint): void => {
    // It is known from records, or it is another one that had the number, whose end is still to be read.
    if (cache.findNow(pid) !== undefined) return;
    const found = reader.read(pid);
    // A process that has ended has no program.
    if (found === undefined || found.program.binary === "") return;
    if (found.parentPid !== 0 && cache.findNow(found.parentPid) === undefined) {
      const parent = reader.read(found.parentPid);
      // A process with a PID namespace of its own is one of a container, as its child is.
      if (parent !== undefined) put(parent, container, parent.namespacePid !== parent.pid);
    }
    put(found, container, true);
  };

  return {
    add: (container, pids) => void waiting.set(container, pids[Symbol.iterator]()),
    remove: (container) => void waiting.delete(container),
    step() {
      const [first] = waiting;
      if (first === undefined) return false;
      const [container, pids] = first;
      // The next step is for another container: one with many processes delays no other.
      waiting.delete(container);
      for (let count = 0; count < atOnce; count++) {
        const next = pids.next();
        if (next.done === true) return waiting.size > 0;
        read(next.value, container);
      }
      waiting.set(container, pids);
      return true;
    },
  };
}
