// SPDX-License-Identifier: Apache-2.0
// The hook's gRPC client, for one unary call, without I/O, and the encoder of the one message that it sends. It does not use
// the generated code, so that the process starts fast.

export { decodeGrpcMessage, parseGrpcStatus } from "./grpc-status.ts";
export type { UnaryRequest } from "./request.ts";
export { encodeRuntimeHookRequest, type RuntimeHookMessage } from "./runtime-hook-request.ts";
export { createUnaryCall, type UnaryCall, type UnaryOutcome } from "./unary-call.ts";
