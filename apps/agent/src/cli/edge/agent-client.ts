// SPDX-License-Identifier: Apache-2.0
// The connection of a command to a running agent, and what went wrong where the agent does not answer.

import { Client, credentials } from "@grpc/grpc-js";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { toPrintable } from "@rthooks/terminal";
import type { WireError } from "../../base/wire/service.ts";
import { describeUnreachable } from "../core/unreachable-agent.ts";
import type { AgentEndpoint } from "./agent-endpoints.ts";

export function openAgentClient({ target, tls, options }: AgentEndpoint): Client {
  const { createInsecure, createFromSecureContext } = credentials;
  return new Client(
    target,
    tls === undefined ? createInsecure() : createFromSecureContext(tls.context, tls.verify),
    {
      ...options,
      // A node's whole list may be larger than the default of 4 MB.
      "grpc.max_receive_message_length": -1,
      "grpc.enable_retries": 0,
      // A node's own agent is never behind a proxy of the environment.
      "grpc.enable_http_proxy": 0,
      // Each client has a connection of its own, and connects at once.
      "grpc.use_local_subchannel_pool": 1,
    },
  );
}

export interface AskedAgent {
  readonly target: string;
  readonly timeoutMs: number;
  /** What it was asked for: "containers". */
  readonly what: string;
}

/** One line: which agent, why, and what to try. */
export function describeFailedCall(
  { code, details }: WireError,
  { target, timeoutMs, what }: AskedAgent,
): string {
  switch (code) {
    case grpcCode.unavailable:
      return describeUnreachable(target, details);
    case grpcCode.deadlineExceeded:
      return `the agent at ${target} did not answer within ${timeoutMs} ms: see its log, or give a longer --timeout`;
    case grpcCode.unimplemented:
      return `what listens at ${target} is another agent, without a list of ${what}: ${details}`;
    // The agent has no such container, or several: its message is for users.
    case grpcCode.notFound:
    case grpcCode.invalidArgument:
      return toPrintable(details);
    default:
      return `the agent at ${target} answered with an error: ${details}`;
  }
}
