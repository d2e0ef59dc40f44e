// SPDX-License-Identifier: Apache-2.0
// Answers unary ttrpc calls, each exactly once and in any order. A violation of the protocol is answered with an error on
// its stream, as in Go's server, or ends the connection if no stream can carry the error.

import { grpcCode } from "@rthooks/proto/grpc-code";
import { TtrpcRequest, TtrpcResponse } from "@rthooks/proto/nri";
import { describeError, err, type Result } from "@rthooks/result";
import { type OpenPayload, type PayloadReader, type RequestInfo, readLargeRequest } from "./large-request.ts";
import {
  encodeTtrpcFrame,
  MAX_DATA_BYTES,
  REQUEST,
  RESPONSE,
  type TtrpcFrame,
  type TtrpcReaderEvents,
} from "./ttrpc-frame.ts";
import type { TtrpcStatus } from "./ttrpc-status.ts";

export interface TtrpcCall extends RequestInfo {
  readonly payload: Uint8Array;
}

type Answer = Result<Uint8Array, TtrpcStatus>;

/** The payload of a request of more than 4 MiB; `end` answers it. */
interface LargePayload extends PayloadReader {
  end(call: RequestInfo): Answer | Promise<Answer>;
}

export interface TtrpcServerOptions {
  handle(call: TtrpcCall): Answer | Promise<Answer>;
  openPayload: OpenPayload<LargePayload>;
  /** Sends one encoded frame. */
  send(frame: Uint8Array): void;
  /** The answer to a call was sent. */
  onAnswered(call: RequestInfo, answer: Answer): void;
  /** A request of more than 4 MiB was skipped and answered with this error. */
  onTooLarge(status: TtrpcStatus): void;
  /** The peer does not speak ttrpc: the connection cannot continue. */
  onViolation(reason: string): void;
}

/** Limit on pending calls. A runtime makes one call at a time. */
const MAX_OPEN_STREAMS = 1024;
/** Limit on the size of all pending requests. */
const MAX_OPEN_BYTES = 64 << 20;

export interface TtrpcServer extends Required<TtrpcReaderEvents> {
  /** Sends no more answers. */
  close(): void;
}

export function createTtrpcServer({
  handle,
  openPayload,
  send,
  onAnswered,
  onTooLarge,
  onViolation,
}: TtrpcServerOptions): TtrpcServer {
  let lastStreamId = 0;
  let open = 0;
  let openBytes = 0;
  let isClosed = false;

  const answer = (streamId: number, result: Answer): void => {
    if (!isClosed) send(encodeTtrpcFrame(streamId, RESPONSE, encodeAnswer(result)));
  };
  const refuse = (streamId: number, code: number, message: string): void =>
    answer(streamId, err({ code, message }));

  const run = async (
    streamId: number,
    call: RequestInfo,
    bytes: number,
    work: () => Answer | Promise<Answer>,
  ): Promise<void> => {
    open++;
    openBytes += bytes;
    let result: Answer;
    try {
      result = await work();
    } catch (error) {
      result = err({ code: grpcCode.internal, message: `${call.method}: ${describeError(error)}` });
    }
    open--;
    openBytes -= bytes;
    answer(streamId, result);
    onAnswered(call, result);
  };

  /** Whether the frame is an acceptable request; if not, the peer gets the error. */
  const admit = ({ streamId, type }: Pick<TtrpcFrame, "streamId" | "type">): boolean => {
    if (isClosed) return false;
    if (type !== REQUEST) {
      onViolation(`a frame of type ${type} where only requests are expected`);
      return false;
    }
    if (streamId % 2 === 0 || streamId <= lastStreamId) {
      refuse(streamId, grpcCode.invalidArgument, `stream id ${streamId} is not a new odd one`);
      return false;
    }
    lastStreamId = streamId;
    return true;
  };

  const isFull = (streamId: number, bytes: number): boolean => {
    if (open >= MAX_OPEN_STREAMS) {
      refuse(streamId, grpcCode.resourceExhausted, `more than ${MAX_OPEN_STREAMS} pending requests`);
      return true;
    }
    if (openBytes + bytes <= MAX_OPEN_BYTES) return false;
    refuse(streamId, grpcCode.resourceExhausted, "pending requests exceed 64 MiB");
    return true;
  };

  return {
    onFrame(frame) {
      const { streamId, data } = frame;
      // openLarge has admitted and answered larger requests.
      if (data === undefined || !admit(frame)) return;
      let request: TtrpcRequest;
      try {
        request = TtrpcRequest.decode(data);
      } catch (error) {
        refuse(streamId, grpcCode.invalidArgument, `invalid ttrpc request: ${describeError(error)}`);
        return;
      }
      const { service, method, payload, timeoutNano } = request;
      if (isFull(streamId, payload.length)) return;
      const call = { service, method, payload, timeoutNanos: timeoutNano };
      void run(streamId, call, payload.length, () => handle(call));
    },
    openLarge(frame) {
      if (!admit(frame)) return undefined;
      const { streamId } = frame;
      const request = readLargeRequest(openPayload);
      return {
        receive: request.receive,
        end() {
          const whole = request.end();
          if (!whole.ok) {
            refuse(streamId, whole.error.code, whole.error.message);
            onTooLarge(whole.error);
          } else if (!isFull(streamId, 0)) {
            const { info, payload } = whole.value;
            void run(streamId, info, 0, () => payload.end(info));
          }
        },
      };
    },
    close() {
      isClosed = true;
    },
  };
}

/** Encodes an answer; one that is too large becomes an error. An error never has the code of a success. */
function encodeAnswer(answer: Answer): Uint8Array {
  const payload = answer.ok ? answer.value : new Uint8Array();
  const status = answer.ok ? undefined : toErrorStatus(answer.error);
  const data = TtrpcResponse.encode({ status, payload }).finish();
  if (data.length <= MAX_DATA_BYTES) return data;
  const tooLarge = { code: grpcCode.resourceExhausted, message: "the answer is larger than 4 MiB" };
  return TtrpcResponse.encode({ status: tooLarge, payload: new Uint8Array() }).finish();
}

/** Replaces code 0, which means success, and codes that gRPC does not define. */
function toErrorStatus({ code, message }: TtrpcStatus): TtrpcStatus {
  return { code: Number.isInteger(code) && code > 0 && code <= 16 ? code : grpcCode.unknown, message };
}
