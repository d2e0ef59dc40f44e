// SPDX-License-Identifier: Apache-2.0
// Connects to a running agent, queries it, and describes what went wrong where it does not answer.

import { Client, credentials } from "@grpc/grpc-js";
import { renderAddress } from "@rthooks/net";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, type Result } from "@rthooks/result";
import type { ServerAddress } from "../../base/core/server-address.ts";
import type { WireError } from "../../base/wire/service.ts";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";
import { describeUnreachable } from "../core/unreachable-agent.ts";
import { type AgentStatus, queryPolicies, queryStatus } from "../wire/agent-queries.ts";

/** The error is one line: which agent, why, and what to try. */
export const fetchStatus = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<AgentStatus, string>> => query(address, timeoutMs, "containers", queryStatus);

/** Errors as `fetchStatus` gives them. */
export const fetchPolicies = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<readonly PolicyStatus[], string>> => query(address, timeoutMs, "policies", queryPolicies);

async function query<T>(
  address: ServerAddress,
  timeoutMs: number,
  what: string,
  call: (client: Client, deadline: Date) => Promise<Result<T, WireError>>,
): Promise<Result<T, string>> {
  const target = renderAddress(address);
  const client = new Client(target, credentials.createInsecure(), {
    // A node's whole list may be larger than the default of 4 MB.
    "grpc.max_receive_message_length": -1,
    "grpc.enable_retries": 0,
    // A node's own agent is never behind a proxy of the environment.
    "grpc.enable_http_proxy": 0,
  });
  try {
    const answer = await call(client, new Date(Date.now() + timeoutMs));
    if (answer.ok) return answer;
    const { code, details } = answer.error;
    switch (code) {
      case grpcCode.unavailable:
        return err(describeUnreachable(target, details));
      case grpcCode.deadlineExceeded:
        return err(
          `the agent at ${target} did not answer within ${timeoutMs} ms: see its log, or give a longer --timeout`,
        );
      case grpcCode.unimplemented:
        return err(`what listens at ${target} is another agent, without a list of ${what}: ${details}`);
      default:
        return err(`the agent at ${target} answered with an error: ${details}`);
    }
  } finally {
    client.close();
  }
}
