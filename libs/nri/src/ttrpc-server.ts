// SPDX-License-Identifier: Apache-2.0
// Answers unary ttrpc calls, each exactly once and in any order. What breaks a rule of the protocol is answered with
// an error on its stream, as Go's server does, or ends the connection where no answer could be read.

import { TtrpcRequest, TtrpcResponse } from "@rthooks/proto/nri";
import { describeError, err, type Result } from "@rthooks/result";
import { encodeTtrpcFrame, MAX_DATA_BYTES, REQUEST, RESPONSE, type TtrpcFrame } from "./ttrpc-frame.ts";
import { type TtrpcStatus, ttrpcCode } from "./ttrpc-status.ts";

export interface TtrpcCall {
  readonly service: string;
  readonly method: string;
  readonly payload: Uint8Array;
  /** Nanoseconds that the caller waits from now; 0 if it did not say. */
  readonly timeoutNanos: bigint;
}

type Answer = Result<Uint8Array, TtrpcStatus>;

export interface TtrpcServerOptions {
  handle(call: TtrpcCall): Answer | Promise<Answer>;
  /** Gets one encoded frame. */
  send(frame: Uint8Array): void;
  /** The answer to a call was sent. */
  onAnswered(call: TtrpcCall, answer: Answer): void;
  /** The other side speaks something else: there is no way to go on. */
  onViolation(reason: string): void;
}

/** Calls in work at once. A runtime has one at a time; more than this is a flood. */
const MAX_OPEN_STREAMS = 1024;
/** The requests of those calls together. */
const MAX_OPEN_BYTES = 64 << 20;

export interface TtrpcServer {
  receive(frame: TtrpcFrame): void;
  /** No answer is sent from now on. */
  close(): void;
}

export function createTtrpcServer({
  handle,
  send,
  onAnswered,
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

  const run = async (streamId: number, call: TtrpcCall): Promise<void> => {
    open++;
    openBytes += call.payload.length;
    let result: Answer;
    try {
      result = await handle(call);
    } catch (error) {
      result = err({ code: ttrpcCode.internal, message: `${call.method}: ${describeError(error)}` });
    }
    open--;
    openBytes -= call.payload.length;
    answer(streamId, result);
    onAnswered(call, result);
  };

  return {
    receive({ streamId, type, data }) {
      if (isClosed) return;
      if (type !== REQUEST) {
        onViolation(`a frame of type ${type} where only requests are expected`);
        return;
      }
      if (streamId % 2 === 0 || streamId <= lastStreamId) {
        refuse(streamId, ttrpcCode.invalidArgument, `stream id ${streamId} is not a new odd one`);
        return;
      }
      lastStreamId = streamId;
      if (data === undefined) {
        refuse(streamId, ttrpcCode.resourceExhausted, "the request is larger than 4 MiB");
        return;
      }
      if (open >= MAX_OPEN_STREAMS) {
        refuse(streamId, ttrpcCode.resourceExhausted, `more than ${MAX_OPEN_STREAMS} requests at once`);
        return;
      }
      let request: TtrpcRequest;
      try {
        request = TtrpcRequest.decode(data);
      } catch (error) {
        refuse(streamId, ttrpcCode.invalidArgument, `no ttrpc request: ${describeError(error)}`);
        return;
      }
      const { service, method, payload, timeoutNano } = request;
      if (openBytes + payload.length > MAX_OPEN_BYTES) {
        refuse(streamId, ttrpcCode.resourceExhausted, "the requests in work are larger than 64 MiB together");
        return;
      }
      void run(streamId, { service, method, payload, timeoutNanos: timeoutNano });
    },
    close() {
      isClosed = true;
    },
  };
}

/** Never an answer that the runtime takes for a success by mistake, nor one that its reader refuses. */
function encodeAnswer(answer: Answer): Uint8Array {
  const payload = answer.ok ? answer.value : new Uint8Array();
  const status = answer.ok ? undefined : toErrorStatus(answer.error);
  const data = TtrpcResponse.encode({ status, payload }).finish();
  if (data.length <= MAX_DATA_BYTES) return data;
  const tooLarge = { code: ttrpcCode.resourceExhausted, message: "the answer is larger than 4 MiB" };
  return TtrpcResponse.encode({ status: tooLarge, payload: new Uint8Array() }).finish();
}

/** Code 0 would mean that all is well; numbers beyond gRPC's mean nothing to a runtime. */
function toErrorStatus({ code, message }: TtrpcStatus): TtrpcStatus {
  return { code: Number.isInteger(code) && code > 0 && code <= 16 ? code : ttrpcCode.unknown, message };
}
