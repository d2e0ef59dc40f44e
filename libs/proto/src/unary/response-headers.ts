// SPDX-License-Identifier: Apache-2.0
// Reads the header lists of a gRPC answer, and rejects malformed ones: RFC 9113 section 8.2 and 8.3.
import { err, type Result } from "@rthooks/result";
import { ErrorCode, type Violation } from "./frames.ts";
import type { HeaderField } from "./hpack-decode.ts";

export interface ResponseHeaders {
  /** Zero in trailers. */
  readonly httpStatus: number;
  readonly contentType: string | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
}

export function readResponseHeaders(
  headers: readonly HeaderField[],
  part: "head" | "trailers",
): Result<ResponseHeaders, Violation> {
  let httpStatus = 0;
  let contentType: string | undefined;
  let grpcStatus: string | undefined;
  let grpcMessage: string | undefined;
  let regularSeen = false;
  for (const { name, value } of headers) {
    if (!isName(name) || !isValue(value)) {
      return malformed("a header name or value with forbidden characters");
    }
    if (name.startsWith(":")) {
      if (part === "trailers" || regularSeen || name !== ":status" || httpStatus !== 0) {
        return malformed("a pseudo-header out of place");
      }
      httpStatus = parseHttpStatus(value);
      if (httpStatus === 0) {
        return malformed("a :status that is not an HTTP status");
      }
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
  // ok() written out: the whole hook calls it almost as often as makes the runtime compile it (bytes.ts).
  return { ok: true, value: { httpStatus, contentType, grpcStatus, grpcMessage } };
}

/** A valid name has no upper case, control character, space or byte above 0x7e, and a colon only at its start. */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || (code >= 0x41 && code <= 0x5a) || (code === 0x3a && at > 0)) {
      return false;
    }
  }
  return name !== "";
}

function isValue(value: string): boolean {
  return !value.includes("\0") && !value.includes("\n") && !value.includes("\r");
}

/** Three digits; zero for anything else. */
function parseHttpStatus(text: string): number {
  const status = Number(text);
  return status >= 100 && status <= 999 && String(status) === text ? status : 0;
}

function malformed(reason: string): Result<never, Violation> {
  return err({ reason, code: ErrorCode.protocolError });
}
