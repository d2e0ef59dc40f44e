// SPDX-License-Identifier: Apache-2.0
// The HTTP/2 frame layer: RFC 9113 sections 4, 6 and 7.
import { writeUint32 } from "./bytes.ts";

/** A violation of the protocol or of a limit of this client; `code` is the HTTP/2 error code for the peer. */
export interface Violation {
  readonly reason: string;
  readonly code: number;
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** A view of the receive buffer: valid only while the frame is being handled. */
  readonly payload: Uint8Array;
}

export const FRAME_HEADER_BYTES = 9;

/** The default of SETTINGS_MAX_FRAME_SIZE, which this client keeps; every peer must accept frames of this size. */
export const MAX_FRAME_BYTES = 16_384;

/** Initial window of streams and of the connection, before SETTINGS or WINDOW_UPDATE change it. */
export const DEFAULT_WINDOW_BYTES = 65_535;

export const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** The one call is the one stream. */
export const CALL_STREAM_ID = 1;

export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const Flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const Setting = {
  enablePush: 0x2,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
} as const;

export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
} as const;

/** Writes the header at `at` and returns where the payload begins. */
export function writeFrameHeader(
  out: Uint8Array,
  at: number,
  frame: {
    readonly length: number;
    readonly type: number;
    readonly flags: number;
    readonly streamId: number;
  },
): number {
  out[at] = frame.length >>> 16;
  out[at + 1] = frame.length >>> 8;
  out[at + 2] = frame.length;
  out[at + 3] = frame.type;
  out[at + 4] = frame.flags;
  writeUint32(out, at + 5, frame.streamId);
  return at + FRAME_HEADER_BYTES;
}

export function encodeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  out.set(payload, writeFrameHeader(out, 0, { length: payload.length, type, flags, streamId }));
  return out;
}

export function encodeWindowUpdate(streamId: number, increment: number): Uint8Array {
  return encodeFrame(FrameType.windowUpdate, 0, streamId, encodeUint32(increment));
}

export function encodeRstStream(errorCode: number): Uint8Array {
  return encodeFrame(FrameType.rstStream, 0, CALL_STREAM_ID, encodeUint32(errorCode));
}

/** The last stream id is 0, since no stream of the peer is accepted. */
export function encodeGoaway(errorCode: number): Uint8Array {
  const payload = new Uint8Array(8);
  writeUint32(payload, 4, errorCode);
  return encodeFrame(FrameType.goaway, 0, 0, payload);
}

function encodeUint32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  writeUint32(out, 0, value);
  return out;
}
