// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import {
  decodeGrpcMessage,
  fromHttpStatus,
  fromStreamError,
  parseGrpcStatus,
  renderTimeout,
} from "./grpc-status.ts";

test("HTTP status stands in for a missing gRPC status", () => {
  const table = {
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    429: 14,
    502: 14,
    503: 14,
    504: 14,
    200: 2,
    302: 2,
    500: 2,
  };
  for (const [status, code] of Object.entries(table)) {
    expect({ status, code: fromHttpStatus(Number(status)) }).toEqual({ status, code });
  }
});

test("a reset stream has a gRPC status", () => {
  const codes = Array.from({ length: 15 }, (_, errorCode) => fromStreamError(errorCode));
  expect(codes).toEqual([13, 13, 13, 13, 13, 2, 13, 14, 1, 13, 13, 8, 7, 2, 2]);
});

test.each([
  { text: "0", code: 0 },
  { text: "16", code: 16 },
  { text: "99", code: 99 },
  { text: "", code: 2 },
  { text: "00", code: 2 },
  { text: "1e1", code: 2 },
  { text: "NaN", code: 2 },
  { text: "Infinity", code: 2 },
  { text: "-1", code: 2 },
  { text: "1.5", code: 2 },
  { text: " 7", code: 2 },
  { text: "9".repeat(40), code: 2 },
])("grpc-status '$text'", ({ text, code }) => {
  expect(parseGrpcStatus(text)).toBe(code);
});

test.each([
  { name: "plain text", text: "no such pod", message: "no such pod" },
  { name: "escaped UTF-8", text: "gr%C3%BCn%E2%82%AC", message: "grün€" },
  { name: "a percent sign", text: "100%25", message: "100%" },
  { name: "broken escapes", text: "%zz %4 %", message: "%zz %4 %" },
  { name: "bytes that are no UTF-8", text: "a%FFb\xfe", message: "a\ufffdb\ufffd" },
  { name: "raw UTF-8", text: "\xc3\xbc", message: "ü" },
  { name: "a byte order mark", text: "%EF%BB%BFx", message: "\ufeffx" },
])("grpc-message with $name", ({ text, message }) => {
  expect(decodeGrpcMessage(text)).toBe(message);
});

test.each([
  { timeoutMs: undefined, text: undefined },
  { timeoutMs: Number.POSITIVE_INFINITY, text: undefined },
  { timeoutMs: Number.NaN, text: undefined },
  { timeoutMs: -5, text: "1m" },
  { timeoutMs: 0.2, text: "1m" },
  { timeoutMs: 10_000, text: "10000m" },
  { timeoutMs: 99_999_999, text: "99999999m" },
  { timeoutMs: 100_000_000, text: "100000S" },
  { timeoutMs: 1e300, text: "99999999S" },
])("a timeout of $timeoutMs ms", ({ timeoutMs, text }) => {
  expect(renderTimeout(timeoutMs)).toBe(text);
});
