// SPDX-License-Identifier: Apache-2.0

import { grpcCode } from "@rthooks/proto/grpc-code";
import { TtrpcRequest, TtrpcResponse } from "@rthooks/proto/nri";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { encodeTtrpcFrame, REQUEST, RESPONSE, type TtrpcFrame } from "./ttrpc-frame.ts";
import type { TtrpcStatus } from "./ttrpc-status.ts";

type Answer = Result<Uint8Array, TtrpcStatus>;

export interface TtrpcClient {
  /** Resolves with the answer, or with UNAVAILABLE if the connection ends first. */
  call(service: string, method: string, payload: Uint8Array): Promise<Answer>;
  receive(frame: TtrpcFrame): void;
  close(): void;
}

export function createTtrpcClient(send: (frame: Uint8Array) => void): TtrpcClient {
  const waiting = new Map<number, (answer: Answer) => void>();
  let nextStreamId = 1;
  let isClosed = false;
  const lost: Answer = err({ code: grpcCode.unavailable, message: "the runtime closed the connection" });

  return {
    call(service, method, payload) {
      if (isClosed) return Promise.resolve(lost);
      const streamId = nextStreamId;
      nextStreamId += 2;
      const request = TtrpcRequest.encode({ service, method, payload, timeoutNano: 0n, metadata: [] });
      const answered = new Promise<Answer>((resolve) => void waiting.set(streamId, resolve));
      send(encodeTtrpcFrame(streamId, REQUEST, request.finish()));
      return answered;
    },
    receive({ streamId, type, data }) {
      // Frames without a pending call are ignored, as in Go's client.
      const resolve = waiting.get(streamId);
      if (type !== RESPONSE || resolve === undefined) return;
      waiting.delete(streamId);
      resolve(decodeAnswer(data));
    },
    close() {
      isClosed = true;
      for (const resolve of waiting.values()) resolve(lost);
      waiting.clear();
    },
  };
}

function decodeAnswer(data: Uint8Array | undefined): Answer {
  if (data === undefined) {
    return err({ code: grpcCode.resourceExhausted, message: "the answer is larger than 4 MiB" });
  }
  try {
    const { status, payload } = TtrpcResponse.decode(data);
    return status === undefined || status.code === grpcCode.ok ? ok(payload) : err(status);
  } catch (error) {
    return err({ code: grpcCode.internal, message: `invalid ttrpc answer: ${describeError(error)}` });
  }
}
