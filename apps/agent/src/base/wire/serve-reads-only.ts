// SPDX-License-Identifier: Apache-2.0

import type { Server } from "@grpc/grpc-js";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";

/** Methods that change nothing, by the last element of their path. */
const reading = new Set([
  "GetVersion",
  "GetInfo",
  "GetHealth",
  "ListTracingPolicies",
  "ListDomains",
  "ListContainers",
  "GetContainer",
  "WatchContainers",
  "GetEvents",
  "GetDebug",
  "ExplainContainer",
]);

export type Registrar = Pick<Server, "register">;

/** Registers methods on the server. Methods that change state answer with PERMISSION_DENIED and say what to do. */
export function serveReadsOnly(server: Server): Registrar {
  return {
    register(path, handler, serialize, deserialize, type) {
      const method = path.slice(path.lastIndexOf("/") + 1);
      if (reading.has(method)) return server.register(path, handler, serialize, deserialize, type);
      const details = `${method} is not served on TCP: call the agent's unix socket, or start it with --server-tls-require-client-cert or --server-tcp-allow-changes`;
      const refuse = (_: unknown, callback: (error: { code: GrpcCode; details: string }) => void): void =>
        callback({ code: grpcCode.permissionDenied, details });
      return server.register(path, refuse, serialize, (bytes) => bytes, "unary");
    },
  };
}
