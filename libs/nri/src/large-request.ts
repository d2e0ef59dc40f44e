// SPDX-License-Identifier: Apache-2.0
// A ttrpc request of more than 4 MiB, whose payload is read while it arrives. Runtimes with NRI before 0.7 send a
// synchronization as one such request, since ttrpc before 1.2.6 does not limit the messages that it sends.

import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import { createFieldReader } from "./field-reader.ts";
import type { TtrpcStatus } from "./ttrpc-status.ts";

export interface RequestInfo {
  readonly service: string;
  readonly method: string;
  /** The caller's timeout in nanoseconds from now; 0 if the request has none. */
  readonly timeoutNanos: bigint;
}

export interface PayloadReader {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
}

/** Returns the payload reader of a method that accepts large requests. */
export type OpenPayload<Reader> = (service: string, method: string) => Reader | undefined;

export interface LargeRequest<Reader> {
  receive(bytes: Uint8Array): void;
  end(): Result<{ readonly info: RequestInfo; readonly payload: Reader }, TtrpcStatus>;
}

/** Limit for the names of service and method. */
const MAX_NAME_BYTES = 256;

// Fields of ttrpc.Request (ttrpc request.proto), which Go encodes in this order.
const SERVICE = 1;
const METHOD = 2;
const PAYLOAD = 3;
const TIMEOUT_NANO = 4;

export function readLargeRequest<Reader extends PayloadReader>(
  openPayload: OpenPayload<Reader>,
): LargeRequest<Reader> {
  const decoder = new TextDecoder();
  let service = "";
  let method = "";
  let timeoutNanos = 0n;
  let payload: Reader | undefined;

  const fields = createFieldReader({
    begin(field, length) {
      if (field === SERVICE || field === METHOD) return length <= MAX_NAME_BYTES ? "whole" : "skip";
      if (field !== PAYLOAD || payload !== undefined) return "skip";
      payload = openPayload(service, method);
      return payload === undefined ? "skip" : "pieces";
    },
    whole(field, bytes) {
      if (field === SERVICE) service = decoder.decode(bytes);
      else method = decoder.decode(bytes);
    },
    piece: (_field, bytes) => payload?.receive(bytes),
    varint(field, value) {
      if (field === TIMEOUT_NANO) timeoutNanos = BigInt(value);
    },
  });

  return {
    receive: fields.receive,
    end() {
      if (payload === undefined)
        return err({
          code: grpcCode.resourceExhausted,
          message: `${method}: the request is larger than 4 MiB`,
        });
      return fields.isComplete()
        ? ok({ info: { service, method, timeoutNanos }, payload })
        : err({ code: grpcCode.invalidArgument, message: "not a ttrpc request" });
    },
  };
}
