// SPDX-License-Identifier: Apache-2.0
// Moves records from the ring buffer to the consumer of events.

import { join } from "node:path";
import { type EventReader, openEventReader, type RecordKind } from "@rthooks/bpf";
import { ok, type Result } from "@rthooks/result";
import type { EventContainer } from "../core/agent-event.ts";
import type { EventConsumer } from "../core/event-consumer.ts";
import { noStatistics } from "../core/event-statistics.ts";
import { createEventStream, type EventStream } from "../core/event-stream.ts";
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
  /** Call it about once a second. */
  tick(): EventStatistics;
  close(): void;
}

export interface PumpOptions extends RecordSource {
  readonly nodeName: string;
  readonly consumer: EventConsumer;
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
  { consumer, onCgroupsGone, nodeName, procfs, cgroupRoot }: PumpOptions,
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
  const counts = { records: { ...records }, events: { ...events }, unreadable: 0 };
  let gone: bigint[] = [];
  const countLost = createLostCounter(reader);
  const stream = createEventStream({
    ...{ cache, nowMs, hold, reader: processes, readsPerSecond: 100, retentionMs: 10_000 },
    bootTimeNs,
    onCgroupGone: (cgroupId) => void gone.push(cgroupId),
    consumer: {
      publish(event) {
        counts.events[event.kind === "match" ? event.report.event : event.kind]++;
        consumer.publish(event);
      },
    },
  });

  return {
    stream,
    fd: reader.fd,
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
      bootNs = clock.bootTimeNs();
      const read = reader.read((record) => {
        counts.records[record.kind]++;
        stream.take(record);
      }, RECORDS_AT_ONCE);
      counts.unreadable += read.unreadable;
      if (gone.length > 0) onCgroupsGone(gone);
      gone = [];
      if (read.records > 0) consumer.flush();
      const isScanning = scan.step();
      return isScanning || read.records === RECORDS_AT_ONCE;
    },
    tick() {
      stream.tick();
      const { lost, added } = countLost();
      if (added > 0n) stream.lose(added);
      const { evicted, size } = cache;
      return { ...structuredClone(counts), evicted, processes: size, lost };
    },
    close: reader.close,
  };
}

/** Lost records since it was created, and since the last call. A map that cannot be read has none. */
function createLostCounter(reader: EventReader): () => {
  readonly lost: Readonly<Record<RecordKind, number>>;
  readonly added: bigint;
} {
  const read = (): ReadonlyMap<RecordKind, bigint> => {
    const counts = reader.countLost();
    return counts.ok ? counts.value : new Map();
  };
  const before = read();
  let [last, sum] = [before, 0n];
  return () => {
    const now = read();
    if (now.size > 0) last = now;
    const of = (kind: RecordKind): number => Number((last.get(kind) ?? 0n) - (before.get(kind) ?? 0n));
    const lost = {
      ...{ exec: of("exec"), exit: of("exit"), fork: of("fork"), match: of("match") },
      cgroup_gone: of("cgroup_gone"),
    };
    const total = BigInt(Object.values(lost).reduce((all, one) => all + one, 0));
    const added = total - sum;
    sum = total;
    return { lost, added };
  };
}
