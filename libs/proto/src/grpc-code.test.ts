// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderGrpcCode, renderGrpcError } from "./grpc-code.ts";

test("codes are spelled as the Go implementation does", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, -1].map(renderGrpcCode)).toEqual([
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
    "Code(17)",
    "Code(-1)",
  ]);
});

test("a failed call is printed as Go's client does", () => {
  expect(renderGrpcError(9, "no such pod")).toBe("rpc error: code = FailedPrecondition desc = no such pod");
});
