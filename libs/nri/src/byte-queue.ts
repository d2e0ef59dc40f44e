// SPDX-License-Identifier: Apache-2.0
// Bytes that come in pieces, until as many are there as are wanted. What a peer announces costs nothing: memory is
// taken for what has come, twice that at most.

export interface ByteQueue {
  readonly length: number;
  /** Keeps a copy: a reader may use its buffer again. */
  push(bytes: Uint8Array): void;
  /** Exactly so many bytes, or undefined while there are fewer. */
  take(count: number): Uint8Array | undefined;
}

/** What an idle queue keeps; room for a large message is given back. */
const KEPT_BYTES = 4096;

export function createByteQueue(): ByteQueue {
  let buffer = new Uint8Array(0);
  let start = 0;
  let end = 0;

  const makeRoom = (count: number): void => {
    if (end + count <= buffer.length) return;
    const held = end - start;
    const needed = held + count;
    const room = needed > buffer.length ? new Uint8Array(Math.max(needed, buffer.length * 2)) : buffer;
    room.set(buffer.subarray(start, end));
    buffer = room;
    start = 0;
    end = held;
  };

  return {
    get length() {
      return end - start;
    },
    push(bytes) {
      makeRoom(bytes.length);
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
