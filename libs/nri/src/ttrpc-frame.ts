// SPDX-License-Identifier: Apache-2.0
// ttrpc's frames (containerd/ttrpc PROTOCOL.md): 4 bytes length, 4 bytes stream id, type, flags, data; big-endian.

import { createByteQueue } from "./byte-queue.ts";

export const REQUEST = 1;
export const RESPONSE = 2;

const HEADER_BYTES = 10;
/** Of the data (channel.go, messageLengthMax). */
export const MAX_DATA_BYTES = 4 << 20;

export interface TtrpcFrame {
  readonly streamId: number;
  readonly type: number;
  /** Undefined for one of more than MAX_DATA_BYTES, which was skipped. */
  readonly data: Uint8Array | undefined;
}

export function encodeTtrpcFrame(streamId: number, type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(4, streamId);
  view.setUint8(8, type);
  bytes.set(data, HEADER_BYTES);
  return bytes;
}

export interface TtrpcReader {
  receive(bytes: Uint8Array): void;
}

/** Keeps one message at most, and of that only what has come. */
export function createTtrpcReader(onFrame: (frame: TtrpcFrame) => void): TtrpcReader {
  const queue = createByteQueue();
  let current: { readonly streamId: number; readonly type: number; readonly length: number } | undefined;
  let toSkip = 0;

  /** As many frames as are whole. */
  const readFrames = (): void => {
    for (;;) {
      if (current === undefined) {
        const header = queue.take(HEADER_BYTES);
        if (header === undefined) return;
        const view = new DataView(header.buffer);
        const length = view.getUint32(0);
        const [streamId, type] = [view.getUint32(4), view.getUint8(8)];
        if (length > MAX_DATA_BYTES) {
          toSkip = length;
          onFrame({ streamId, type, data: undefined });
          return;
        }
        current = { streamId, type, length };
      }
      const data = queue.take(current.length);
      if (data === undefined) return;
      const { streamId, type } = current;
      current = undefined;
      onFrame({ streamId, type, data });
    }
  };

  return {
    receive(bytes) {
      queue.push(bytes);
      for (;;) {
        if (toSkip > 0) {
          const skipped = Math.min(toSkip, queue.length);
          queue.take(skipped);
          toSkip -= skipped;
          if (toSkip > 0) return;
        }
        readFrames();
        if (toSkip === 0) return;
      }
    },
  };
}
