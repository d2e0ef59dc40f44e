// SPDX-License-Identifier: Apache-2.0
import { readUint24, readUint32, smaller } from "./bytes.ts";
import {
  ErrorCode,
  FRAME_HEADER_BYTES,
  type Frame,
  FrameType,
  MAX_FRAME_BYTES,
  type Violation,
} from "./frames.ts";

/** Splits a byte stream into frames. Buffers at most one frame. */
export interface FrameReader {
  read(chunk: Uint8Array): Violation | undefined;
}

/** `onFrame` returns whether to continue. */
export function createFrameReader(onFrame: (frame: Frame) => boolean): FrameReader {
  let store: Uint8Array | undefined;
  let held = 0;
  let begun = false;

  function checkHeader(bytes: Uint8Array, at: number, length: number): Violation | undefined {
    // Checked before the length: an HTTP/1.1 answer would read as a frame of 4.7 MB.
    if (!begun && (bytes[at + 3] !== FrameType.settings || ((bytes[at + 4] ?? 0) & 1) !== 0)) {
      return { reason: "the peer does not speak HTTP/2", code: ErrorCode.protocolError };
    }
    begun = true;
    if (length > MAX_FRAME_BYTES) {
      return {
        reason: `a frame of ${length} bytes, more than the ${MAX_FRAME_BYTES} allowed`,
        code: ErrorCode.frameSizeError,
      };
    }
    return undefined;
  }

  function hold(chunk: Uint8Array, at: number, upTo: number): number {
    store ??= new Uint8Array(FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
    const taken = smaller(upTo - held, chunk.length - at);
    store.set(chunk.subarray(at, at + taken), held);
    held += taken;
    return at + taken;
  }

  function read(chunk: Uint8Array): Violation | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (held === 0 && chunk.length - at >= FRAME_HEADER_BYTES) {
        const length = readUint24(chunk, at);
        const violation = checkHeader(chunk, at, length);
        if (violation !== undefined) {
          return violation;
        }
        const end = at + FRAME_HEADER_BYTES + length;
        if (end <= chunk.length) {
          if (!onFrame(toFrame(chunk, at, end))) {
            return undefined;
          }
          at = end;
          continue;
        }
      }
      if (held < FRAME_HEADER_BYTES) {
        at = hold(chunk, at, FRAME_HEADER_BYTES);
        if (held < FRAME_HEADER_BYTES || store === undefined) {
          return undefined;
        }
        const violation = checkHeader(store, 0, readUint24(store, 0));
        if (violation !== undefined) {
          return violation;
        }
      }
      if (store === undefined) {
        return undefined;
      }
      const end = FRAME_HEADER_BYTES + readUint24(store, 0);
      at = hold(chunk, at, end);
      if (held === end) {
        held = 0;
        if (!onFrame(toFrame(store, 0, end))) {
          return undefined;
        }
      }
    }
    return undefined;
  }

  return { read };
}

function toFrame(bytes: Uint8Array, at: number, end: number): Frame {
  return {
    type: bytes[at + 3] ?? 0,
    flags: bytes[at + 4] ?? 0,
    // The top bit is reserved: RFC 9113 section 4.1 wants it ignored.
    streamId: readUint32(bytes, at + 5) & 0x7fff_ffff,
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
  };
}
