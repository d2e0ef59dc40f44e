// SPDX-License-Identifier: Apache-2.0
// Asks a running agent once.

import type { Client } from "@grpc/grpc-js";
import type { ContainerQuery, Explanation } from "@rthooks/explain";
import { renderAddress } from "@rthooks/net";
import { err, type Result } from "@rthooks/result";
import type { ServerAddress } from "../../base/core/server-address.ts";
import type { WireError } from "../../base/wire/service.ts";
import type { ListedPolicy } from "../core/policies-table.ts";
import { type AgentStatus, queryExplanations, queryPolicies, queryStatus } from "../wire/agent-queries.ts";
import { describeFailedCall, openAgentClient } from "./agent-client.ts";

/** The error is one line: which agent, why, and what to try. */
export const fetchStatus = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<AgentStatus, string>> => query(address, timeoutMs, "containers", queryStatus);

/** Errors as `fetchStatus` gives them. */
export const fetchPolicies = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<readonly ListedPolicy[], string>> => query(address, timeoutMs, "policies", queryPolicies);

/** Errors as `fetchStatus` gives them; where the agent has no such container, its own line. */
export const fetchExplanations =
  (wanted: ContainerQuery) =>
  (address: ServerAddress, timeoutMs: number): Promise<Result<readonly Explanation[], string>> =>
    query(address, timeoutMs, "explanations", async (client, deadline) =>
      queryExplanations(client, deadline, wanted),
    );

async function query<T>(
  address: ServerAddress,
  timeoutMs: number,
  what: string,
  call: (client: Client, deadline: Date) => Promise<Result<T, WireError>>,
): Promise<Result<T, string>> {
  const target = renderAddress(address);
  const client = openAgentClient(target);
  try {
    const answer = await call(client, new Date(Date.now() + timeoutMs));
    return answer.ok ? answer : err(describeFailedCall(answer.error, { target, timeoutMs, what }));
  } finally {
    client.close();
  }
}
