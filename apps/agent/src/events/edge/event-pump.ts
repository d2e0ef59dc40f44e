// SPDX-License-Identifier: Apache-2.0
// Moves records from the ring buffer to the consumer of events.

import { join } from "node:path";
import { type EventReader, openEventReader } from "@rthooks/bpf";
import { ok, type Result } from "@rthooks/result";
import type { EventContainer } from "../core/agent-event.ts";
import type { EventConsumer } from "../core/event-consumer.ts";
import { noStatistics } from "../core/event-statistics.ts";
import { createEventStream, type EventStream } from "../core/event-stream.ts";
import { createLostCounter, type LostBefore, type LostCounts } from "../core/lost-counter.ts";
import { createProcessCache } from "../core/process-cache.ts";
import { createProcessScan } from "../core/process-scan.ts";
import type { EventStatistics, RecordSource } from "../core/thread-messages.ts";
import { openBootClock } from "./boot-clock.ts";
import { listProcesses } from "./list-processes.ts";
import { createProcessReader } from "./read-process.ts";

export interface EventPump {
  readonly stream: EventStream;
  /** Descriptor of the ring buffer. */
  readonly fd: number;
  /** `runsAlready`: its processes are looked up in /proc. */
  putContainer(container: EventContainer, runsAlready: boolean): void;
  removeContainer(cgroupId: bigint): void;
  /** Moves some records, and looks up some processes; whether there may be more of either. */
  move(): boolean;
  /** Of the kernel at the start of the agent, for the next thread. */
  readonly firstLost: LostCounts;
  /** Moves what is in the ring buffer, for so long at most, and what waits for its container. */
  finish(maxMs: number): void;
  /** Call it about once a second. */
  tick(): EventStatistics;
  /** The last ones, of a thread that a bug has ended: the record that it worked on and those that it held do not become events. */
  abandon(): EventStatistics;
  close(): void;
}

export interface PumpOptions extends RecordSource {
  readonly nodeName: string;
  readonly consumer: EventConsumer;
  readonly lostBefore: LostBefore | undefined;
  onCgroupsGone(cgroupIds: readonly bigint[]): void;
}

/** Before messages are looked at again: some milliseconds. */
const RECORDS_AT_ONCE = 512;
/** Processes looked up between them: about as long. */
const PROCESSES_AT_ONCE = 16;
const CACHE_BYTES = 64 * 1024 * 1024;
/** A container's message comes before its first record, except for one that an earlier agent knew. */
const hold = { forMs: 3_000, ofContainer: 1_024, inAll: 16_384 };

/** The error is one line. */
export function openEventPump(options: PumpOptions): Result<EventPump, string> {
  const reader = openEventReader(options.directory);
  return reader.ok ? ok(createEventPump(options, reader.value)) : reader;
}

function createEventPump(
  { consumer, onCgroupsGone, nodeName, procfs, cgroupRoot, lostBefore }: PumpOptions,
  reader: EventReader,
): EventPump {
  const clock = openBootClock();
  const nowMs = (): number => Number(clock.nowNs() / 1_000n) / 1_000;
  let bootNs = clock.bootTimeNs();
  const bootTimeNs = (): bigint => bootNs;
  const cache = createProcessCache({ nodeName, maxBytes: CACHE_BYTES, retentionMs: 2_000, bootTimeNs });
  const processes = createProcessReader(procfs);
  const scan = createProcessScan({ cache, reader: processes, atOnce: PROCESSES_AT_ONCE });
  const { records, events } = structuredClone(noStatistics);
  const counts = { records: { ...records }, events: { ...events }, unreadable: 0, abandoned: 0 };
  let gone: bigint[] = [];
  let isWorking = false;
  const losses = createLostCounter(() => {
    const read = reader.countLost();
    return read.ok ? read.value : undefined;
  }, lostBefore);
  let lost = noStatistics.lost;
  const readStatistics = (): EventStatistics => {
    const { evicted, size } = cache;
    return { ...structuredClone(counts), evicted, processes: size, lost };
  };
  const stream = createEventStream({
    ...{ cache, nowMs, hold, reader: processes, readsPerSecond: 100, retentionMs: 10_000 },
    bootTimeNs,
    onCgroupGone: (cgroupId) => void gone.push(cgroupId),
    onUnknownRules: () => void counts.abandoned++,
    consumer: {
      publish(event) {
        counts.events[event.kind === "match" ? event.report.event : event.kind]++;
        consumer.publish(event);
      },
    },
  });

  /** Some records; their number. */
  const moveRecords = (): number => {
    bootNs = clock.bootTimeNs();
    const read = reader.read((record) => {
      counts.records[record.kind]++;
      isWorking = true;
      stream.take(record);
      isWorking = false;
    }, RECORDS_AT_ONCE);
    counts.unreadable += read.unreadable;
    if (gone.length > 0) onCgroupsGone(gone);
    gone = [];
    if (read.records > 0) consumer.flush();
    return read.records;
  };

  return {
    stream,
    fd: reader.fd,
    firstLost: losses.first,
    putContainer(container, runsAlready) {
      const { cgroupId, cgroupPath } = container;
      stream.putContainer(container);
      if (runsAlready && cgroupPath !== undefined)
        scan.add(cgroupId, listProcesses(join(cgroupRoot, cgroupPath)));
    },
    removeContainer(cgroupId) {
      scan.remove(cgroupId);
      stream.removeContainer(cgroupId);
    },
    move() {
      const records = moveRecords();
      const isScanning = scan.step();
      return isScanning || records === RECORDS_AT_ONCE;
    },
    finish(maxMs) {
      const deadline = nowMs() + maxMs;
      while (moveRecords() > 0 && nowMs() < deadline);
      stream.finish();
      consumer.flush();
    },
    tick() {
      stream.tick();
      const now = losses.count();
      lost = now.lost;
      if (now.added > 0) stream.lose(BigInt(now.added));
      return readStatistics();
    },
    abandon() {
      counts.abandoned += stream.held + (isWorking ? 1 : 0);
      return readStatistics();
    },
    close: reader.close,
  };
}
