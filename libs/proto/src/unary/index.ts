// SPDX-License-Identifier: Apache-2.0
// The hook's gRPC client: one unary call, without I/O, at next to no cost for the start of a process; and the one
// message that it sends. The generated code and its library stay out of here.

export { decodeGrpcMessage, parseGrpcStatus } from "./grpc-status.ts";
export type { UnaryRequest } from "./request.ts";
export { encodeRuntimeHookRequest, type RuntimeHookMessage } from "./runtime-hook-request.ts";
export { createUnaryCall, type UnaryCall, type UnaryOutcome } from "./unary-call.ts";
