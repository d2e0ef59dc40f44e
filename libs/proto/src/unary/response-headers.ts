// SPDX-License-Identifier: Apache-2.0
// What a header list says about a gRPC answer, and what makes it malformed: RFC 9113 section 8.2 and 8.3.
import { err, ok, type Result } from "@rthooks/result";
import { ErrorCode, type Violation } from "./frames.ts";
import type { Header } from "./hpack-decode.ts";

export interface ResponseHeaders {
  /** Zero in trailers. */
  readonly httpStatus: number;
  readonly contentType: string | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
}

/** Names have no upper case, no control characters, no space and no byte above 0x7e; a colon only in front. */
const NAME = /^:?[!-9;-@[-~]+$/;

const FORBIDDEN_IN_VALUE = /[\0\r\n]/;

export function readResponseHeaders(
  headers: readonly Header[],
  part: "head" | "trailers",
): Result<ResponseHeaders, Violation> {
  let httpStatus = 0;
  let contentType: string | undefined;
  let grpcStatus: string | undefined;
  let grpcMessage: string | undefined;
  let regularSeen = false;
  for (const { name, value } of headers) {
    if (!NAME.test(name) || FORBIDDEN_IN_VALUE.test(value)) {
      return malformed("a header name or value with forbidden characters");
    }
    if (name.startsWith(":")) {
      if (part === "trailers" || regularSeen || name !== ":status" || httpStatus !== 0) {
        return malformed("a pseudo-header out of place");
      }
      if (!/^[1-9][0-9]{2}$/.test(value)) {
        return malformed("a :status that is no HTTP status");
      }
      httpStatus = Number(value);
      continue;
    }
    regularSeen = true;
    switch (name) {
      case "content-type":
        contentType = value;
        break;
      case "grpc-status":
        grpcStatus = value;
        break;
      case "grpc-message":
        grpcMessage = value;
        break;
      case "connection":
      case "keep-alive":
      case "proxy-connection":
      case "transfer-encoding":
      case "upgrade":
        return malformed(`a ${name} header, which HTTP/2 does not have`);
      default:
    }
  }
  if (part === "head" && httpStatus === 0) {
    return malformed("headers without :status");
  }
  return ok({ httpStatus, contentType, grpcStatus, grpcMessage });
}

function malformed(reason: string): Result<never, Violation> {
  return err({ reason, code: ErrorCode.protocolError });
}
