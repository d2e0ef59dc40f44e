// SPDX-License-Identifier: Apache-2.0
// The gRPC answer inside the stream: one length-prefixed message, and the status that ends the call.
import { grpcCode } from "../grpc-code.ts";
import { createByteSink } from "./byte-sink.ts";
import { readUint32, smaller } from "./bytes.ts";
import { decodeGrpcMessage, fromHttpStatus, parseGrpcStatus } from "./grpc-status.ts";
import { MAX_RESPONSE_BYTES } from "./limits.ts";
import type { ResponseHeaders } from "./response-headers.ts";

export type UnaryAnswer =
  | { readonly kind: "response"; readonly message: Uint8Array }
  | { readonly kind: "status"; readonly code: number; readonly message: string };

/** One byte for the compressed flag, four for the message's length. */
export const MESSAGE_PREFIX_BYTES = 5;

export interface MessageReader {
  /** Takes bytes of the stream's DATA; returns an answer if they end the call with an error. */
  append(bytes: Uint8Array): UnaryAnswer | undefined;
  /** The answer of a call that ended with status OK. */
  finish(): UnaryAnswer;
}

export function createMessageReader(): MessageReader {
  const sink = createByteSink();
  let prefixChecked = false;

  function append(bytes: Uint8Array): UnaryAnswer | undefined {
    let rest = bytes;
    if (!prefixChecked) {
      const taken = smaller(MESSAGE_PREFIX_BYTES - sink.length, rest.length);
      sink.append(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      if (sink.length < MESSAGE_PREFIX_BYTES) {
        return undefined;
      }
      prefixChecked = true;
      const problem = checkPrefix(sink.bytes());
      if (problem !== undefined) {
        return problem;
      }
    }
    if (rest.length > missing()) {
      return internal("the server sent more than one message");
    }
    sink.append(rest);
    return undefined;
  }

  function missing(): number {
    return MESSAGE_PREFIX_BYTES + readUint32(sink.bytes(), 1) - sink.length;
  }

  function finish(): UnaryAnswer {
    if (sink.length === 0) {
      return internal("the server sent status OK without a message");
    }
    if (!prefixChecked || missing() > 0) {
      return internal("the server ended the call within its message");
    }
    return { kind: "response", message: sink.bytes().subarray(MESSAGE_PREFIX_BYTES) };
  }

  return { append, finish };
}

function checkPrefix(prefix: Uint8Array): UnaryAnswer | undefined {
  if (prefix[0] !== 0) {
    return internal("the server sent a compressed message without grpc-accept-encoding");
  }
  const length = readUint32(prefix, 1);
  return length > MAX_RESPONSE_BYTES
    ? {
        kind: "status",
        code: grpcCode.resourceExhausted,
        message: `received message larger than max (${length} vs. ${MAX_RESPONSE_BYTES})`,
      }
    : undefined;
}

/** Whether a message may follow this head; if not, `toAnswer` can be called. */
export function isGrpcHead(head: ResponseHeaders): boolean {
  const type = head.contentType?.toLowerCase() ?? "";
  const rest = type.startsWith("application/grpc") ? type[16] : "none";
  return head.httpStatus === 200 && (rest === undefined || rest === "+" || rest === ";");
}

/** The answer at the end of the stream. `last`: the trailers, or the head of a Trailers-Only response. */
export function toAnswer(
  head: ResponseHeaders,
  last: ResponseHeaders | undefined,
  message: MessageReader,
): UnaryAnswer {
  // grpc-status takes precedence over the HTTP status.
  if (last?.grpcStatus !== undefined) {
    const code = parseGrpcStatus(last.grpcStatus);
    return code === grpcCode.ok
      ? message.finish()
      : { kind: "status", code, message: decodeGrpcMessage(last.grpcMessage ?? "") };
  }
  const code = fromHttpStatus(head.httpStatus);
  if (head.httpStatus !== 200) {
    return { kind: "status", code, message: `unexpected HTTP status ${head.httpStatus}` };
  }
  return isGrpcHead(head)
    ? { kind: "status", code, message: "the server ended the call without a grpc-status" }
    : { kind: "status", code, message: `unexpected content-type ${JSON.stringify(head.contentType ?? "")}` };
}

function internal(message: string): UnaryAnswer {
  return { kind: "status", code: grpcCode.internal, message };
}
