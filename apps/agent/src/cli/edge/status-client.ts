// SPDX-License-Identifier: Apache-2.0
// Asks a running agent once.

import type { Client } from "@grpc/grpc-js";
import type { ContainerQuery, Explanation } from "@rthooks/explain";
import { err, type Result } from "@rthooks/result";
import type { WireError } from "../../base/wire/service.ts";
import type { ListedPolicy } from "../core/policies-table.ts";
import { type AgentStatus, queryExplanations, queryPolicies, queryStatus } from "../wire/agent-queries.ts";
import { describeFailedCall, openAgentClient } from "./agent-client.ts";
import type { AgentEndpoint } from "./agent-endpoints.ts";

/** The error is one line: which agent, why, and what to try. */
export const fetchStatus = (
  endpoint: AgentEndpoint,
  timeoutMs: number,
): Promise<Result<AgentStatus, string>> => query(endpoint, timeoutMs, "containers", queryStatus);

/** Errors as `fetchStatus` gives them. */
export const fetchPolicies = (
  endpoint: AgentEndpoint,
  timeoutMs: number,
): Promise<Result<readonly ListedPolicy[], string>> => query(endpoint, timeoutMs, "policies", queryPolicies);

/** Errors as `fetchStatus` gives them; where the agent has no such container, its own line. */
export const fetchExplanations =
  (wanted: ContainerQuery) =>
  (endpoint: AgentEndpoint, timeoutMs: number): Promise<Result<readonly Explanation[], string>> =>
    query(endpoint, timeoutMs, "explanations", async (client, deadline) =>
      queryExplanations(client, deadline, wanted),
    );

async function query<T>(
  endpoint: AgentEndpoint,
  timeoutMs: number,
  what: string,
  call: (client: Client, deadline: Date) => Promise<Result<T, WireError>>,
): Promise<Result<T, string>> {
  const { target } = endpoint;
  const client = openAgentClient(endpoint);
  try {
    const answer = await call(client, new Date(Date.now() + timeoutMs));
    return answer.ok ? answer : err(describeFailedCall(answer.error, { target, timeoutMs, what }));
  } finally {
    client.close();
  }
}
