// SPDX-License-Identifier: Apache-2.0

import type { HookFailure } from "@rthooks/machines/hook";
import { grpcCode, renderGrpcError } from "@rthooks/proto/grpc-code";

/** The log key `err`. For an unreachable agent, the text of Tetragon's documentation. */
export function renderFailure(failure: HookFailure, address: string): string {
  switch (failure.kind) {
    case "spec":
    case "refused":
      return failure.reason;
    case "unreachable":
      return `connecting to agent (${failure.reason}) failed: ${address}`;
    case "deadline":
      switch (failure.phase) {
        case "loading":
          return "reading the container's spec (context deadline exceeded) failed";
        case "connecting":
          return `connecting to agent (context deadline exceeded) failed: ${address}`;
        case "requesting":
          return renderGrpcError(grpcCode.deadlineExceeded, "context deadline exceeded");
      }
  }
}
