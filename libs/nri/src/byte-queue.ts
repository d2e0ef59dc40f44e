// SPDX-License-Identifier: Apache-2.0
// A queue of received bytes, from which a reader takes a fixed number at a time. Memory is at most twice the received bytes,
// independent of the length that the peer announces.

export interface ByteQueue {
  readonly length: number;
  /** Keeps a copy: a reader may use its buffer again. */
  push(bytes: Uint8Array): void;
  /** Exactly `count` bytes, or undefined while there are fewer. */
  take(count: number): Uint8Array | undefined;
}

/** Capacity that an empty queue keeps; a larger buffer is released. */
const KEPT_BYTES = 4096;

export function createByteQueue(): ByteQueue {
  let buffer = new Uint8Array(0);
  let start = 0;
  let end = 0;

  const reserve = (count: number): void => {
    if (end + count <= buffer.length) return;
    const held = end - start;
    const needed = held + count;
    const target = needed > buffer.length ? new Uint8Array(Math.max(needed, buffer.length * 2)) : buffer;
    target.set(buffer.subarray(start, end));
    buffer = target;
    start = 0;
    end = held;
  };

  return {
    get length() {
      return end - start;
    },
    push(bytes) {
      reserve(bytes.length);
      buffer.set(bytes, end);
      end += bytes.length;
    },
    take(count) {
      if (end - start < count) return undefined;
      const taken = buffer.slice(start, start + count);
      start += count;
      if (start === end) {
        start = 0;
        end = 0;
        if (buffer.length > KEPT_BYTES) buffer = new Uint8Array(0);
      }
      return taken;
    },
  };
}
