// SPDX-License-Identifier: Apache-2.0
// Reads a map of the type BPF_MAP_TYPE_RINGBUF in its own memory: the kernel's Documentation/bpf/ringbuf.rst and
// kernel/bpf/ringbuf.c.

import { err, ok, type Result } from "@rthooks/result";
import { type MappedMemory, mapMemory, readPageBytes } from "@rthooks/sys/mapped-memory";
import type { BpfMap } from "./bpf-map.ts";

/** `at`: where the record starts in `bytes`, which `view` is of, too. They are valid during the call alone. */
type TakeRecord = (bytes: Uint8Array, view: DataView, at: number, length: number) => void;

export interface RingBuffer {
  /** Gives the records to `take` in their order, at most so many; their number. Their room is free again when it returns. */
  read(take: TakeRecord, maxRecords: number): number;
  /** Does not close the map. */
  close(): void;
}

const HEADER_BYTES = 8;
const BUSY = 1 << 31;
const DISCARDED = 1 << 30;
const LENGTH = DISCARDED - 1;
/** Records whose room is given back together. */
const READ_AT_ONCE = 128;

/** There must be one reader of a map. The error is one line. */
export function openRingBuffer({ fd, info: { name, maxEntries } }: BpfMap): Result<RingBuffer, string> {
  const page = readPageBytes();
  const consumer = mapMemory(fd, { offset: 0, length: page, isWritable: true });
  if (!consumer.ok) return err(`ring buffer ${name}: ${consumer.error.message}`);
  // The data is there twice, one behind the other: no record has a gap.
  const length = page + 2 * maxEntries;
  const producer = mapMemory(fd, { offset: page, length, isWritable: false });
  if (producer.ok) return ok(toRingBuffer(consumer.value, producer.value, page, maxEntries));
  consumer.value.close();
  return err(`ring buffer ${name}: ${producer.error.message}`);
}

function toRingBuffer(
  consumer: MappedMemory,
  producer: MappedMemory,
  page: number,
  size: number,
): RingBuffer {
  const readTo = new BigUint64Array(consumer.memory, 0, 1);
  // Read without Atomics, for which this runtime writes to the memory: it may only be read.
  const orderReads = createReadBarrier();
  const writtenTo = new BigUint64Array(producer.memory, 0, 1);
  const headers = new Int32Array(producer.memory, page);
  const bytes = new Uint8Array(producer.memory, page);
  const view = new DataView(producer.memory, page);
  let isOpen = true;

  /** The headers of records that are complete, from this position on. */
  const findComplete = (from: number, maxRecords: number): readonly number[] => {
    const found: number[] = [];
    let position = from;
    const end = Number(writtenTo[0]);
    // What is there from the round before is older than the number: a program marks a record before it counts it.
    orderReads();
    while (position < end && found.length < maxRecords) {
      const header = headers[(position % size) / 4] ?? BUSY;
      // A program is still writing it; the kernel tells when it is complete.
      if ((header & BUSY) !== 0) break;
      found.push(header);
      position += toRoom(header);
    }
    return found;
  };

  /** Reads some of them and gives their room back; their number. */
  const readSome = (take: TakeRecord, maxRecords: number): number => {
    let position = Number(Atomics.load(readTo, 0));
    const found = findComplete(position, maxRecords);
    // The content of a record is not read before its header.
    orderReads();
    try {
      for (const header of found) {
        const at = (position % size) + HEADER_BYTES;
        position += toRoom(header);
        if ((header & DISCARDED) === 0) take(bytes, view, at, header & LENGTH);
      }
    } finally {
      Atomics.store(readTo, 0, BigInt(position));
    }
    return found.length;
  };

  return {
    read(take, maxRecords) {
      let count = 0;
      while (isOpen && count < maxRecords) {
        const some = readSome(take, Math.min(READ_AT_ONCE, maxRecords - count));
        if (some === 0) break;
        count += some;
      }
      return count;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      consumer.close();
      producer.close();
    },
  };
}

/**
 * Reads before the call are done before those after it, also where the processor changes their order, as arm64 does: a store with
 * release and a load with acquire stay in this order (Arm Architecture Reference Manual, B2.3), and an atomic addition without
 * FEAT_LSE alone does not do that.
 */
function createReadBarrier(): () => void {
  const word = new Int32Array(new SharedArrayBuffer(4));
  return () => {
    Atomics.store(word, 0, 0);
    Atomics.load(word, 0);
  };
}

/** Bytes of a record with its header. */
const toRoom = (header: number): number => Math.ceil(((header & LENGTH) + HEADER_BYTES) / 8) * 8;
