// SPDX-License-Identifier: Apache-2.0
// Answers unary ttrpc calls, each exactly once and in any order. What breaks a rule of the protocol is answered with
// an error on its stream, as Go's server does, or ends the connection where no answer could be read.

import { TtrpcRequest, TtrpcResponse } from "@rthooks/proto/nri";
import { describeError, err, type Result } from "@rthooks/result";
import { encodeTtrpcFrame, REQUEST, RESPONSE, type TtrpcFrame } from "./ttrpc-frame.ts";
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
  /** The other side speaks something else: there is no way to go on. */
  onViolation(reason: string): void;
}

/** Calls in work at once. A runtime has one at a time; more than this is a flood. */
const MAX_OPEN_STREAMS = 1024;

export interface TtrpcServer {
  receive(frame: TtrpcFrame): void;
  /** No answer is sent from now on. */
  close(): void;
}

export function createTtrpcServer({ handle, send, onViolation }: TtrpcServerOptions): TtrpcServer {
  let lastStreamId = 0;
  let open = 0;
  let isClosed = false;

  const answer = (streamId: number, result: Answer): void => {
    if (isClosed) return;
    const response = TtrpcResponse.encode({
      status: result.ok ? undefined : result.error,
      payload: result.ok ? result.value : new Uint8Array(),
    }).finish();
    send(encodeTtrpcFrame(streamId, RESPONSE, response));
  };
  const refuse = (streamId: number, code: number, message: string): void =>
    answer(streamId, err({ code, message }));

  const run = async (streamId: number, call: TtrpcCall): Promise<void> => {
    open++;
    let result: Answer;
    try {
      result = await handle(call);
    } catch (error) {
      result = err({ code: ttrpcCode.internal, message: `${call.method}: ${describeError(error)}` });
    }
    open--;
    answer(streamId, result);
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
      void run(streamId, { service, method, payload, timeoutNanos: timeoutNano });
    },
    close() {
      isClosed = true;
    },
  };
}
