// SPDX-License-Identifier: Apache-2.0
// The tables between HTTP/2, HTTP and gRPC status: the documents PROTOCOL-HTTP2.md, statuscodes.md and
// http-grpc-status-mapping.md of gRPC.
import { grpcCode } from "../grpc-code.ts";
import { ErrorCode } from "./frames.ts";

/** The gRPC code for a response without grpc-status. Status 200 is an error, too: a gRPC server sends grpc-status. */
export function fromHttpStatus(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return grpcCode.internal;
    case 401:
      return grpcCode.unauthenticated;
    case 403:
      return grpcCode.permissionDenied;
    case 404:
      return grpcCode.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcCode.unavailable;
    default:
      return grpcCode.unknown;
  }
}

/** For RST_STREAM. */
export function fromStreamError(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.noError:
    case ErrorCode.protocolError:
    case ErrorCode.internalError:
    case ErrorCode.flowControlError:
    case ErrorCode.settingsTimeout:
    case ErrorCode.frameSizeError:
    case ErrorCode.compressionError:
    case ErrorCode.connectError:
      return grpcCode.internal;
    case ErrorCode.refusedStream:
      return grpcCode.unavailable;
    case ErrorCode.cancel:
      return grpcCode.canceled;
    case ErrorCode.enhanceYourCalm:
      return grpcCode.resourceExhausted;
    case ErrorCode.inadequateSecurity:
      return grpcCode.permissionDenied;
    default:
      return grpcCode.unknown;
  }
}

/** Parses a grpc-status header; UNKNOWN for an invalid one. */
export function parseGrpcStatus(text: string): number {
  const code = Number(text);
  return code >= 0 && code % 1 === 0 && String(code) === text ? code : grpcCode.unknown;
}

/**
 * Decodes a grpc-message header, UTF-8 with percent escapes. An invalid escape is kept, and invalid UTF-8 becomes U+FFFD,
 * since the specification forbids an error.
 */
export function decodeGrpcMessage(text: string): string {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let byte = text.charCodeAt(at);
    const escaped = text.slice(at + 1, at + 3);
    if (byte === 0x25 && /^[0-9A-Fa-f]{2}$/.test(escaped)) {
      byte = Number.parseInt(escaped, 16);
      at += 2;
    }
    bytes[length] = byte;
    length += 1;
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, length));
}

/** The grpc-timeout header, at most eight digits; undefined without a deadline. */
export function renderTimeout(timeoutMs: number | undefined): string | undefined {
  if (timeoutMs === undefined || !Number.isFinite(timeoutMs)) {
    return undefined;
  }
  let value = timeoutMs;
  let unit = "m";
  if (value > 99_999_999) {
    value = value < 99_999_999_000 ? value / 1000 : 99_999_999;
    unit = "S";
  }
  // Rounded up, and never 0, which the specification does not allow.
  const whole = value <= 1 ? 1 : value - (value % 1) + (value % 1 > 0 ? 1 : 0);
  return `${whole}${unit}`;
}
