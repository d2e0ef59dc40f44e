// SPDX-License-Identifier: Apache-2.0

import type { EventStatistics } from "./thread-messages.ts";

export const noStatistics: EventStatistics = {
  records: { exec: 0, exit: 0, fork: 0, match: 0, cgroup_gone: 0 },
  events: { exec: 0, exit: 0, kprobe: 0, tracepoint: 0, lsm: 0, lost: 0 },
  lost: { exec: 0, exit: 0, fork: 0, match: 0, cgroup_gone: 0 },
  ...{ unreadable: 0, abandoned: 0, evicted: 0, processes: 0 },
};

/** Counters of a thread and its successor. */
export function addStatistics(before: EventStatistics, now: EventStatistics): EventStatistics {
  const add = <K extends string>(
    one: Readonly<Record<K, number>>,
    other: Readonly<Record<K, number>>,
  ): Readonly<Record<K, number>> =>
    // The keys are those of `one`, with other values.
    Object.fromEntries(
      Object.entries<number>(one).map(([key, count]) => [key, count + other[key as K]]),
    ) as Record<K, number>;
  return {
    records: add(before.records, now.records),
    events: add(before.events, now.events),
    // The kernel's counters go on: each thread counts since the start of the agent.
    lost: Object.values(now.lost).some((count) => count > 0) ? now.lost : before.lost,
    unreadable: before.unreadable + now.unreadable,
    abandoned: before.abandoned + now.abandoned,
    evicted: before.evicted + now.evicted,
    processes: now.processes,
  };
}
