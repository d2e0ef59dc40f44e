// SPDX-License-Identifier: Apache-2.0
// ttrpc's frames (containerd/ttrpc PROTOCOL.md): 4 bytes length, 4 bytes stream id, type, flags, data; big-endian.

import { createByteQueue } from "./byte-queue.ts";

export const REQUEST = 1;
export const RESPONSE = 2;

const HEADER_BYTES = 10;
/** Limit of the data in a frame (channel.go, messageLengthMax). */
export const MAX_DATA_BYTES = 4 << 20;

export interface TtrpcFrame {
  readonly streamId: number;
  readonly type: number;
  /** Undefined for a frame of more than MAX_DATA_BYTES, whose data is skipped. */
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

/** Receives the data of a frame of more than MAX_DATA_BYTES in pieces. */
interface LargeData {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
  end(): void;
}

export interface TtrpcReaderEvents {
  onFrame(frame: TtrpcFrame): void;
  /** Called for a frame of more than MAX_DATA_BYTES, which is skipped if this is missing or returns undefined. */
  openLarge?(frame: Omit<TtrpcFrame, "data">): LargeData | undefined;
}

export interface TtrpcReader {
  receive(bytes: Uint8Array): void;
  /** Whether a frame has been received in part. */
  isInFrame(): boolean;
}

/** Buffers at most one frame of up to MAX_DATA_BYTES, and only its received bytes. */
export function createTtrpcReader({ onFrame, openLarge }: TtrpcReaderEvents): TtrpcReader {
  const queue = createByteQueue();
  let current: { readonly streamId: number; readonly type: number; readonly length: number } | undefined;
  let large: LargeData | undefined;
  let largeLeft = 0;

  const onHeader = (header: Uint8Array): void => {
    const view = new DataView(header.buffer);
    const length = view.getUint32(0);
    const [streamId, type] = [view.getUint32(4), view.getUint8(8)];
    if (length <= MAX_DATA_BYTES) {
      current = { streamId, type, length };
      return;
    }
    largeLeft = length;
    large = openLarge?.({ streamId, type });
    if (large === undefined) onFrame({ streamId, type, data: undefined });
  };

  /** Reads the header or the data of the next frame, if it is complete. */
  const readFrames = (): void => {
    if (current === undefined) {
      const header = queue.take(HEADER_BYTES);
      if (header !== undefined) onHeader(header);
    }
    if (current === undefined) return;
    const data = queue.take(current.length);
    if (data === undefined) return;
    const { streamId, type } = current;
    current = undefined;
    onFrame({ streamId, type, data });
  };

  return {
    receive(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const wanted = largeLeft > 0 ? largeLeft : (current?.length ?? HEADER_BYTES) - queue.length;
        const piece = rest.subarray(0, wanted);
        rest = rest.subarray(wanted);
        if (largeLeft === 0) {
          queue.push(piece);
          readFrames();
          continue;
        }
        largeLeft -= piece.length;
        large?.receive(piece);
        if (largeLeft > 0) continue;
        const ended = large;
        large = undefined;
        ended?.end();
      }
    },
    isInFrame: () => current !== undefined || largeLeft > 0 || queue.length > 0,
  };
}
