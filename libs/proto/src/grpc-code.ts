// SPDX-License-Identifier: Apache-2.0

/**
 * The status codes of gRPC (grpc/grpc doc/statuscodes.md), which are those of ttrpc too. In the order of their numbers,
 * and with the names of the Go implementation. grpc-js has a table of its own, which would bring its whole package along.
 */
export const grpcCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const; // const, so that the type below is the union of the numbers

export type GrpcCode = (typeof grpcCode)[keyof typeof grpcCode];

/** "DeadlineExceeded" for 4, and so on: the spelling of the Go implementation. "Code(17)" for a number without a name. */
export function renderGrpcCode(code: number): string {
  if (code === grpcCode.ok) return "OK";
  const name = Object.keys(grpcCode)[code];
  return name === undefined ? `Code(${code})` : name.charAt(0).toUpperCase() + name.slice(1);
}

/** A failed call as Go's gRPC client prints it, which is what Tetragon's hook writes into its log. */
export const renderGrpcError = (code: number, message: string): string =>
  `rpc error: code = ${renderGrpcCode(code)} desc = ${message}`;
