// SPDX-License-Identifier: Apache-2.0
// From the records of the kernel to events about processes of containers.

import type { EventRecord, ExecRecord, ExitRecord, ForkRecord, MatchRecord } from "@rthooks/bpf";
import type { EventContainer, ProcessFacts } from "./agent-event.ts";
import type { EventConsumer } from "./event-consumer.ts";
import { toExitStatus } from "./exit-status.ts";
import { createHeldRecords, type HoldLimits } from "./held-records.ts";
import { type ProcessEntry, toFacts } from "./process-entry.ts";
import { createProcessFinder, type FinderOptions } from "./process-finder.ts";
import { toProgram } from "./program.ts";
import { type ReportedRule, toMatchEvents } from "./to-match-events.ts";

export interface EventStream {
  take(record: EventRecord): void;
  /** Its records that came before get their pod now. */
  putContainer(container: EventContainer): void;
  /** Records of it that are still to come keep their pod for a while. */
  removeContainer(cgroupId: bigint): void;
  putRule(number: number, rule: ReportedRule): void;
  /** The kernel had no room for so many records. */
  lose(count: bigint): void;
  /** At least once a second. */
  tick(): void;
  /** Records that wait for their container. */
  readonly held: number;
  /** Records that wait do so no longer. */
  finish(): void;
}

export interface StreamOptions extends FinderOptions {
  readonly consumer: Pick<EventConsumer, "publish">;
  readonly hold: HoldLimits;
  /** How long a removed container is kept, for records that are still to come. */
  readonly retentionMs: number;
  /** Unix time of the boot in nanoseconds: what it is now, since the clock of the node may be set. */
  bootTimeNs(): bigint;
  onCgroupGone(cgroupId: bigint): void;
  /** No rule of the record is known: it does not become an event. */
  onUnknownRules(): void;
}

interface KnownContainer {
  readonly container: EventContainer;
  removedMs: number | undefined;
}

export function createEventStream(options: StreamOptions): EventStream {
  const { cache, consumer, nowMs } = options;
  const containers = new Map<bigint, KnownContainer>();
  const rules = new Map<number, ReportedRule>();
  const held = createHeldRecords(options.hold);
  const { findParent, findOrAdd } = createProcessFinder(options);

  const findContainer = (cgroupId: bigint): EventContainer | undefined => containers.get(cgroupId)?.container;

  const toSubject = (entry: ProcessEntry, { tid, uid, container: cgroupId }: EventRecord): Subject => {
    const { parent } = entry;
    return {
      process: toFacts(entry, { tid, uid, container: findContainer(cgroupId) }),
      parent:
        parent &&
        toFacts(parent, { tid: parent.pid, uid: parent.uid, container: findContainer(parent.container) }),
    };
  };
  const toUnix = ({ time }: EventRecord): bigint => options.bootTimeNs() + time;

  const begin = (record: ExecRecord): void => {
    const { pid, startTime, time: programTime, uid, container, namespacePid } = record;
    const before = cache.find(pid, startTime);
    const parent = findParent(record) ?? before?.parent;
    const isFirst = before === undefined || before.origin === "fork";
    const entry = cache.put({
      ...{ pid, startTime, programTime, uid, container, chargedTo: container, parent },
      ...{ namespacePid, origin: isFirst ? "first-exec" : "exec", program: toProgram(record) },
    });
    consumer.publish({ kind: "exec", timeNs: toUnix(record), ...toSubject(entry, record) });
  };

  const fork = (record: ForkRecord): void => {
    const parent = findOrAdd(record);
    const { childPid: pid, childStartTime: startTime, container } = record;
    const { uid } = record;
    const { program } = parent;
    cache.put({
      ...{ pid, startTime, programTime: startTime, uid, container, chargedTo: container },
      ...{ origin: "fork", program, parent, namespacePid: record.childNamespacePid },
    });
  };

  const end = (record: ExitRecord): void => {
    const entry = findOrAdd(record);
    // Two threads that end at the same time are both the last one.
    if (!entry.isRunning) return;
    cache.end(entry, nowMs());
    const { status, signal } = toExitStatus(record.exitCode);
    const timeNs = toUnix(record);
    consumer.publish({ kind: "exit", timeNs, ...toSubject(entry, record), status, signal });
  };

  const match = (record: MatchRecord): void => {
    const subject = toSubject(findOrAdd(record), record);
    const events = toMatchEvents(record, toUnix(record), subject, (number) => rules.get(number));
    if (events.length === 0) options.onUnknownRules();
    for (const event of events) consumer.publish(event);
  };

  const work = (record: EventRecord): void => {
    switch (record.kind) {
      case "exec":
        begin(record);
        return;
      case "fork":
        fork(record);
        return;
      case "exit":
        end(record);
        return;
      case "match":
        match(record);
        return;
      case "cgroup_gone":
        options.onCgroupGone(record.cgroup);
        return;
    }
  };

  return {
    take(record) {
      const isKnown = record.container === 0n || containers.has(record.container);
      if (isKnown) work(record);
      else for (const ready of held.hold(record, nowMs())) work(ready);
    },
    putContainer(container) {
      containers.set(container.cgroupId, { container, removedMs: undefined });
      for (const record of held.take(container.cgroupId)) work(record);
    },
    removeContainer(cgroupId) {
      const known = containers.get(cgroupId);
      if (known !== undefined) known.removedMs = nowMs();
    },
    putRule: (number, rule) => void rules.set(number, rule),
    lose(count) {
      const timeNs = options.bootTimeNs() + BigInt(Math.round(nowMs() * 1e6));
      consumer.publish({ kind: "lost", timeNs, count });
    },
    get held() {
      return held.size;
    },
    finish() {
      for (const record of held.takeOverdue(Number.POSITIVE_INFINITY)) work(record);
    },
    tick() {
      for (const record of held.takeOverdue(nowMs())) work(record);
      cache.forgetEnded(nowMs());
      for (const [cgroupId, { removedMs }] of containers) {
        if (removedMs !== undefined && removedMs <= nowMs() - options.retentionMs)
          containers.delete(cgroupId);
      }
    },
  };
}

interface Subject {
  readonly process: ProcessFacts;
  readonly parent: ProcessFacts | undefined;
}
