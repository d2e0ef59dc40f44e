// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import { decodeRecord } from "../core/decode-record.ts";
import type { EventRecord } from "../core/event-records.ts";
import { type RecordKind, recordKinds } from "../core/record-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openBpf } from "./open-bpf.ts";
import { openRingBuffer } from "./ring-buffer.ts";

interface ReadCount {
  readonly records: number;
  /** Those of them that are not what the programs of this version write. */
  readonly unreadable: number;
}

export interface EventReader {
  /** Of the map: it can be read when there are records. */
  readonly fd: number;
  /** Gives records to `take` in their order, at most so many. */
  read(take: (record: EventRecord) => void, maxRecords: number): ReadCount;
  /** Records for which there was no room since the maps exist. The error is one line. */
  countLost(): Result<ReadonlyMap<RecordKind, bigint>, string>;
  close(): void;
}

/** Opens the maps of bpf/events.h that are pinned in the directory. One reader at a time. The error is one line. */
export function openEventReader(directory: string): Result<EventReader, string> {
  const opened: { close(): void }[] = [];
  const reader = open(directory, opened);
  if (!reader.ok) for (const part of opened) part.close();
  return reader;
}

function open(directory: string, opened: { close(): void }[]): Result<EventReader, string> {
  const events = openPinned(directory, "events");
  if (!events.ok) return events;
  opened.push(events.value);
  const lost = openPinned(directory, "lost_events");
  if (!lost.ok) return lost;
  opened.push(lost.value);
  const ring = openRingBuffer(events.value);
  if (!ring.ok) return ring;
  opened.push(ring.value);
  return ok({
    fd: events.value.fd,
    read(take, maxRecords) {
      let unreadable = 0;
      const records = ring.value.read((bytes, view, at, length) => {
        const record = decodeRecord(bytes, view, at, length);
        if (record === undefined) unreadable++;
        else take(record);
      }, maxRecords);
      return { records, unreadable };
    },
    countLost: () => countLost(lost.value),
    close() {
      for (const part of opened) part.close();
    },
  });
}

function openPinned(directory: string, name: string): Result<BpfMap, string> {
  const bpf = openBpf();
  if (!bpf.ok) return bpf;
  const map = bpf.value.openPinned(join(directory, name));
  if (!map.ok) return err(renderBpfError(map.error));
  return map.value === undefined ? err(`no map is pinned at ${join(directory, name)}`) : ok(map.value);
}

/** Adds up the counters of all processors. */
function countLost(map: BpfMap): Result<ReadonlyMap<RecordKind, bigint>, string> {
  const counts = new Map<RecordKind, bigint>();
  for (const [number, kind] of recordKinds.entries()) {
    if (kind === undefined) continue;
    const found = map.lookup(encodeNumber(number));
    if (!found.ok) return err(renderBpfError(found.error));
    const ofProcessors = new BigUint64Array(found.value?.slice().buffer ?? new ArrayBuffer());
    counts.set(
      kind,
      ofProcessors.reduce((sum, one) => sum + one, 0n),
    );
  }
  return ok(counts);
}
