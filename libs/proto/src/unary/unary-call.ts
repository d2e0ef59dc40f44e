// SPDX-License-Identifier: Apache-2.0
// One gRPC unary call over one fresh HTTP/2 connection, without I/O: bytes in, bytes out.
//
// The state changes by:
//  - takeOutput(), which sends the request as far as the peer's windows allow, and updates the client's windows;
//  - a frame of the peer (`receive`), which may end the call;
//  - the end of the connection (`close`).
// The first of them that sets `outcome` ends the call; afterwards nothing is read and no more of the request is sent.
import { createByteSink } from "./byte-sink.ts";
import { joinBytes, readUint32 } from "./bytes.ts";
import { createReceiveWindow, createSendWindow, type ReceiveWindow } from "./flow-control.ts";
import { createFrameReader } from "./frame-reader.ts";
import { checkPlace } from "./frame-rules.ts";
import {
  CALL_STREAM_ID,
  ErrorCode,
  encodeFrame,
  encodeGoaway,
  encodeRstStream,
  encodeWindowUpdate,
  Flag,
  type Frame,
  FrameType,
  type Violation,
} from "./frames.ts";
import { fromStreamError } from "./grpc-status.ts";
import { createHpackDecoder } from "./hpack-decode.ts";
import { MAX_HEADER_LIST_BYTES, MAX_IDLE_FRAMES, MAX_WAITING_ACK_BYTES } from "./limits.ts";
import { findContent } from "./padding.ts";
import { createMessageWriter, encodeRequestStart, type UnaryRequest } from "./request.ts";
import { createMessageReader, isGrpcHead, toAnswer, type UnaryAnswer } from "./response.ts";
import { type ResponseHeaders, readResponseHeaders } from "./response-headers.ts";
import { applySettings, encodeSettingsAck, HEADER_TABLE_BYTES } from "./settings.ts";
import { calm, protocolError, sizeError } from "./violations.ts";

export type UnaryOutcome =
  | UnaryAnswer
  /** The connection ended first. `retryable`: the server cannot have acted on the call. */
  | { readonly kind: "lost"; readonly reason: string; readonly retryable: boolean }
  /** The peer violated the protocol or a limit of this client; `code` is the HTTP/2 error code. */
  | { readonly kind: "violation"; readonly reason: string; readonly code: number };

export interface UnaryCall {
  /** True once the peer's SETTINGS have arrived: the peer is an HTTP/2 server. */
  readonly serverReady: boolean;
  readonly outcome: UnaryOutcome | undefined;
  /** All pending bytes in one new buffer; undefined for none. */
  takeOutput(): Uint8Array | undefined;
  /** Takes bytes from the peer, in pieces of any size. Never throws, and keeps no reference to `chunk`. */
  receive(chunk: Uint8Array): void;
  /** The peer closed or reset the connection. */
  close(): void;
}

export function createUnaryCall(request: UnaryRequest): UnaryCall {
  const output: Uint8Array[] = [encodeRequestStart(request)];
  const writer = createMessageWriter(request.message);
  const sendWindow = createSendWindow();
  const connectionWindow = createReceiveWindow();
  const streamWindow = createReceiveWindow();
  const hpack = createHpackDecoder({
    maxTableBytes: HEADER_TABLE_BYTES,
    maxListBytes: MAX_HEADER_LIST_BYTES,
  });
  const message = createMessageReader();
  const frames = createFrameReader(onFrame);

  let outcome: UnaryOutcome | undefined;
  let serverReady = false;
  let waitingAckBytes = 0;
  let idleFrames = 0;
  let goawayCode: number | undefined;
  let head: ResponseHeaders | undefined;
  /** A header block that CONTINUATION frames must complete before any other frame. */
  let openBlock: { readonly bytes: ReturnType<typeof createByteSink>; readonly ends: boolean } | undefined;

  function fail(violation: Violation): void {
    outcome = { kind: "violation", ...violation };
    output.push(encodeGoaway(violation.code));
  }

  /** An answer before the end of the stream: resets the stream, so that the server stops sending. */
  function answerEarly(answer: UnaryAnswer): undefined {
    outcome = answer;
    output.push(encodeRstStream(ErrorCode.cancel));
  }

  function onFrame(frame: Frame): boolean {
    idleFrames += 1;
    const violation = idleFrames > MAX_IDLE_FRAMES ? calm("frames without progress") : dispatch(frame);
    if (violation !== undefined) {
      fail(violation);
    }
    return outcome === undefined;
  }

  function dispatch(frame: Frame): Violation | undefined {
    if (openBlock !== undefined || frame.type === FrameType.continuation) {
      return onContinuation(frame);
    }
    const misplaced = checkPlace(frame);
    if (misplaced !== undefined) {
      return misplaced;
    }
    switch (frame.type) {
      case FrameType.data:
        return onData(frame);
      case FrameType.headers:
        return onHeaders(frame);
      case FrameType.rstStream:
        return onRstStream(readUint32(frame.payload, 0));
      case FrameType.settings:
        return onSettings(frame);
      case FrameType.ping:
        return (frame.flags & Flag.ack) !== 0
          ? undefined
          : acknowledge(encodeFrame(FrameType.ping, Flag.ack, 0, frame.payload));
      case FrameType.goaway:
        return onGoaway(frame.payload);
      case FrameType.windowUpdate:
        return onWindowUpdate(frame);
      case FrameType.pushPromise:
        return protocolError("a pushed stream, which our settings forbid");
      default:
        // PRIORITY is deprecated and unknown types are ignored: RFC 9113 sections 5.3.2 and 4.1.
        return undefined;
    }
  }

  function onContinuation(frame: Frame): Violation | undefined {
    if (
      openBlock === undefined ||
      frame.type !== FrameType.continuation ||
      frame.streamId !== CALL_STREAM_ID
    ) {
      return protocolError("a header block that is not contiguous");
    }
    return extendBlock(openBlock, frame.payload, frame.flags);
  }

  function onHeaders(frame: Frame): Violation | undefined {
    const content = findContent(frame);
    if (!content.ok) {
      return content.error;
    }
    const ends = (frame.flags & Flag.endStream) !== 0;
    if ((frame.flags & Flag.endHeaders) !== 0) {
      return onHeaderBlock(content.value, ends);
    }
    openBlock = { bytes: createByteSink(), ends };
    return extendBlock(openBlock, content.value, frame.flags);
  }

  function extendBlock(
    block: NonNullable<typeof openBlock>,
    part: Uint8Array,
    flags: number,
  ): Violation | undefined {
    if (block.bytes.length + part.length > MAX_HEADER_LIST_BYTES) {
      return calm(`a header block of more than ${MAX_HEADER_LIST_BYTES} bytes`);
    }
    block.bytes.append(part);
    if ((flags & Flag.endHeaders) === 0) {
      return undefined;
    }
    openBlock = undefined;
    return onHeaderBlock(block.bytes.bytes(), block.ends);
  }

  function onHeaderBlock(block: Uint8Array, ends: boolean): Violation | undefined {
    const headers = hpack.decode(block);
    if (!headers.ok) {
      return headers.error;
    }
    const read = readResponseHeaders(headers.value, head === undefined ? "head" : "trailers");
    if (!read.ok) {
      return read.error;
    }
    if (head !== undefined) {
      if (!ends) {
        return protocolError("trailers that do not end the stream");
      }
      outcome = toAnswer(head, read.value, message);
      return undefined;
    }
    return onHead(read.value, ends);
  }

  function onHead(received: ResponseHeaders, ends: boolean): Violation | undefined {
    if (received.httpStatus < 200) {
      // 101 does not exist in HTTP/2, and nothing can end with an interim answer: RFC 9113 sections 8.6, 8.1.
      return ends || received.httpStatus === 101 ? protocolError("a misused interim answer") : undefined;
    }
    head = received;
    idleFrames = 0;
    if (ends) {
      outcome = toAnswer(received, received, message);
      return undefined;
    }
    return isGrpcHead(received) ? undefined : answerEarly(toAnswer(received, received, message));
  }

  function onData(frame: Frame): Violation | undefined {
    if (head === undefined) {
      return protocolError("DATA before HEADERS");
    }
    const overrun =
      connectionWindow.consume(frame.payload.length) ?? streamWindow.consume(frame.payload.length);
    if (overrun !== undefined) {
      return overrun;
    }
    const content = findContent(frame);
    if (!content.ok) {
      return content.error;
    }
    if (content.value.length > 0) {
      idleFrames = 0;
    }
    const spoiled = message.append(content.value);
    if (spoiled !== undefined) {
      return answerEarly(spoiled);
    }
    if ((frame.flags & Flag.endStream) !== 0) {
      outcome = toAnswer(head, undefined, message);
    }
    return undefined;
  }

  function onRstStream(errorCode: number): undefined {
    const reason = `the server reset the call (HTTP/2 error ${errorCode})`;
    outcome =
      errorCode === ErrorCode.refusedStream
        ? { kind: "lost", reason, retryable: true }
        : { kind: "status", code: fromStreamError(errorCode), message: reason };
  }

  function onSettings(frame: Frame): Violation | undefined {
    if ((frame.flags & Flag.ack) !== 0) {
      return frame.payload.length === 0 ? undefined : sizeError("SETTINGS");
    }
    const violation = applySettings(frame.payload, sendWindow);
    if (violation !== undefined) {
      return violation;
    }
    serverReady = true;
    return acknowledge(encodeSettingsAck());
  }

  function onGoaway(payload: Uint8Array): undefined {
    goawayCode = readUint32(payload, 4);
    if ((readUint32(payload, 0) & 0x7fff_ffff) < CALL_STREAM_ID) {
      outcome = { kind: "lost", reason: renderLoss(), retryable: true };
    }
  }

  function onWindowUpdate(frame: Frame): Violation | undefined {
    const increment = readUint32(frame.payload, 0) & 0x7fff_ffff;
    return frame.streamId === 0 ? sendWindow.growConnection(increment) : sendWindow.growStream(increment);
  }

  function acknowledge(ack: Uint8Array): Violation | undefined {
    waitingAckBytes += ack.length;
    if (waitingAckBytes > MAX_WAITING_ACK_BYTES) {
      return calm("frames that want acknowledgement");
    }
    output.push(ack);
    return undefined;
  }

  function renderLoss(): string {
    return goawayCode === undefined
      ? "the server closed the connection"
      : `the server shut the connection down (HTTP/2 error ${goawayCode})`;
  }

  function returnWindow(streamId: number, window: ReceiveWindow): void {
    const increment = window.takeIncrement();
    if (increment > 0) {
      output.push(encodeWindowUpdate(streamId, increment));
    }
  }

  function takeOutput(): Uint8Array | undefined {
    if (outcome === undefined) {
      returnWindow(0, connectionWindow);
      returnWindow(CALL_STREAM_ID, streamWindow);
      const data = writer.take(sendWindow);
      if (data !== undefined) {
        idleFrames = 0;
        output.push(data);
      }
    }
    waitingAckBytes = 0;
    const parts = output.splice(0);
    return parts.length === 0 ? undefined : joinBytes(parts);
  }

  return {
    get serverReady() {
      return serverReady;
    },
    get outcome() {
      return outcome;
    },
    takeOutput,
    receive(chunk) {
      if (outcome === undefined) {
        const violation = frames.read(chunk);
        if (violation !== undefined) {
          fail(violation);
        }
      }
    },
    close() {
      outcome ??= { kind: "lost", reason: renderLoss(), retryable: head === undefined };
    },
  };
}
