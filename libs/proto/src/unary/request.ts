// SPDX-License-Identifier: Apache-2.0
// The client's half of the exchange: connection preface, headers, and the message in DATA frames.
import { fromByteText, smaller, writeUint32 } from "./bytes.ts";
import type { SendWindow } from "./flow-control.ts";
import {
  CALL_STREAM_ID,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_FRAME_BYTES,
  writeFrameHeader,
} from "./frames.ts";
import { renderTimeout } from "./grpc-status.ts";
import { encodeInteger, encodeLiteral } from "./hpack-encode.ts";
import { MESSAGE_PREFIX_BYTES } from "./response.ts";

export interface UnaryRequest {
  readonly authority: string;
  /** `/package.Service/Method` */
  readonly path: string;
  /** Not copied: it must not change before the call ends. */
  readonly message: Uint8Array;
  /** Sent as grpc-timeout. The caller enforces it. */
  readonly timeoutMs?: number;
  readonly userAgent: string;
  /** An additional header: its name in lower case, and its value. */
  readonly metadata?: readonly [string, string];
}

/**
 * Connection preface and SETTINGS, one character per byte. ENABLE_PUSH is 0, MAX_HEADER_LIST_SIZE is MAX_HEADER_LIST_BYTES,
 * and SETTINGS_HEADER_TABLE_SIZE keeps its default.
 */
const OPENING =
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + // RFC 9113 section 3.4
  "\0\0\x0c\x04\0\0\0\0\0" + // 12 bytes of SETTINGS for the connection
  "\0\x02\0\0\0\0" +
  "\0\x06\0\x01\0\0";

/** All bytes before the message. RFC 9113 section 3.4 allows to send them before the server's settings arrive. */
export function encodeRequestStart(request: UnaryRequest): Uint8Array {
  const timeout = renderTimeout(request.timeoutMs);
  const block =
    encodeInteger(0x80, 7, 3) + // :method POST
    encodeInteger(0x80, 7, 6) + // :scheme http
    encodeLiteral(4, request.path) +
    encodeLiteral(1, request.authority) +
    encodeLiteral("te", "trailers") +
    (timeout === undefined ? "" : encodeLiteral("grpc-timeout", timeout)) +
    encodeLiteral(31, "application/grpc") +
    encodeLiteral(58, request.userAgent) +
    (request.metadata === undefined ? "" : encodeLiteral(...request.metadata));
  let out = OPENING;
  for (let at = 0; at < block.length; at += MAX_FRAME_BYTES) {
    const part = block.slice(at, at + MAX_FRAME_BYTES);
    out += String.fromCharCode(
      0,
      part.length >> 8,
      part.length & 0xff,
      at === 0 ? FrameType.headers : FrameType.continuation,
      at + part.length === block.length ? Flag.endHeaders : 0,
      0,
      0,
      0,
      CALL_STREAM_ID,
    );
    out += part;
  }
  return fromByteText(out);
}

export interface MessageWriter {
  /** DATA frames for as many bytes as the windows allow; undefined for none. */
  take(window: SendWindow): Uint8Array | undefined;
}

export function createMessageWriter(message: Uint8Array): MessageWriter {
  const prefix = new Uint8Array(MESSAGE_PREFIX_BYTES);
  writeUint32(prefix, 1, message.length);
  const total = MESSAGE_PREFIX_BYTES + message.length;
  let sent = 0;

  /** Bytes from `from` on of the concatenated prefix and message. */
  function copy(out: Uint8Array, at: number, from: number, length: number): void {
    const head = prefix.subarray(from, from + length);
    out.set(head, at);
    const start = from + head.length - MESSAGE_PREFIX_BYTES;
    out.set(message.subarray(start, start + length - head.length), at + head.length);
  }

  function take(window: SendWindow): Uint8Array | undefined {
    const bytes = smaller(total - sent, window.available());
    if (bytes === 0) {
      return undefined;
    }
    window.consume(bytes);
    const end = sent + bytes;
    const frames = (bytes + MAX_FRAME_BYTES - 1 - ((bytes - 1) % MAX_FRAME_BYTES)) / MAX_FRAME_BYTES;
    const out = new Uint8Array(bytes + frames * FRAME_HEADER_BYTES);
    for (let at = 0; sent < end; ) {
      const length = smaller(MAX_FRAME_BYTES, end - sent);
      at = writeFrameHeader(out, at, {
        length,
        type: FrameType.data,
        flags: sent + length === total ? Flag.endStream : 0,
        streamId: CALL_STREAM_ID,
      });
      copy(out, at, sent, length);
      sent += length;
      at += length;
    }
    return out;
  }

  return { take };
}
