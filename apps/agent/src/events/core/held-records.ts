// SPDX-License-Identifier: Apache-2.0
// Records of containers that the kernel knows already and this thread does not: they wait for the main thread's message.

import type { EventRecord } from "@rthooks/bpf";

export interface HeldRecords {
  /** Keeps the record. Returns what is not to wait any longer: it and those before it, if it does not fit. */
  hold(record: EventRecord, nowMs: number): readonly EventRecord[];
  /** The container is known now; its records, in their order. */
  take(container: bigint): readonly EventRecord[];
  /** Those that have waited long enough, in their order for each container. */
  takeOverdue(nowMs: number): readonly EventRecord[];
  readonly size: number;
}

export interface HoldLimits {
  readonly forMs: number;
  /** For one container, and for all of them. */
  readonly ofContainer: number;
  readonly inAll: number;
}

/** Containers that were waited for in vain; the oldest is forgotten, and is then waited for again. */
const MAX_GIVEN_UP = 4_096;

export function createHeldRecords({ forMs, ofContainer, inAll }: HoldLimits): HeldRecords {
  const held = new Map<bigint, { readonly records: EventRecord[]; readonly sinceMs: number }>();
  const givenUp = new Set<bigint>();
  let count = 0;

  const take = (container: bigint): readonly EventRecord[] => {
    const records = held.get(container)?.records ?? [];
    held.delete(container);
    count -= records.length;
    return records;
  };

  const giveUp = (container: bigint): readonly EventRecord[] => {
    givenUp.add(container);
    const [oldest] = givenUp;
    if (givenUp.size > MAX_GIVEN_UP && oldest !== undefined) givenUp.delete(oldest);
    return take(container);
  };

  return {
    hold(record, nowMs) {
      const { container } = record;
      if (givenUp.has(container)) return [record];
      const waiting = held.get(container) ?? { records: [], sinceMs: nowMs };
      if (waiting.records.length >= ofContainer || count >= inAll) return [...giveUp(container), record];
      held.set(container, waiting);
      waiting.records.push(record);
      count++;
      return [];
    },
    take(container) {
      givenUp.delete(container);
      return take(container);
    },
    get size() {
      return count;
    },
    takeOverdue(nowMs) {
      const overdue: EventRecord[] = [];
      for (const [container, { sinceMs }] of held) {
        if (sinceMs > nowMs - forMs) break;
        overdue.push(...giveUp(container));
      }
      return overdue;
    },
  };
}
