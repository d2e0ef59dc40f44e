// SPDX-License-Identifier: Apache-2.0
// The calls by which `tetragon status`, `policies` and `explain` read a running agent.

import type { Client } from "@grpc/grpc-js";
import type { ContainerQuery, Explanation } from "@rthooks/explain";
import type { TracingPolicyStatus } from "@rthooks/proto";
import { AgentStateDefinition, FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { ok, type Result } from "@rthooks/result";
import { toExplainRequest, toExplanation } from "../../api/wire/explanation-messages.ts";
import { toContainerRecord } from "../../api/wire/messages.ts";
import { toPolicyStatus } from "../../api/wire/policy-messages.ts";
import { callUnary, type WireError } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { addCounts } from "../../explain/core/policy-enforcement.ts";
import type { ListedPolicy } from "../core/policies-table.ts";

export interface AgentStatus {
  /** "running", with the problems where there are some. */
  readonly health: string;
  readonly containers: readonly ContainerRecord[];
}

export async function queryStatus(client: Client, deadline: Date): Promise<Result<AgentStatus, WireError>> {
  const { listContainers } = AgentStateDefinition.methods;
  const containers = await callUnary(client, AgentStateDefinition, listContainers, {}, deadline);
  if (!containers.ok) return containers;
  const service = FineGuidanceSensorsDefinition;
  const health = await callUnary(client, service, service.methods.getHealth, { eventSet: [] }, deadline);
  if (!health.ok) return health;
  return ok({
    health: health.value.healthStatus[0]?.details ?? "",
    containers: containers.value.containers.map(toContainerRecord),
  });
}

/** The policies of all domains. */
export async function queryPolicies(
  client: Client,
  deadline: Date,
): Promise<Result<readonly ListedPolicy[], WireError>> {
  const service = FineGuidanceSensorsDefinition;
  const request = { domain: "" };
  const answer = await callUnary(client, service, service.methods.listTracingPolicies, request, deadline);
  return answer.ok ? ok(answer.value.policies.map(toListedPolicy)) : answer;
}

function toListedPolicy(message: TracingPolicyStatus): ListedPolicy {
  const counters = message.stats?.actionCounters;
  return {
    ...toPolicyStatus(message),
    counts: counters === undefined ? undefined : addCounts([{ counts: counters }]),
  };
}

/** At least one. */
export async function queryExplanations(
  client: Client,
  deadline: Date,
  query: ContainerQuery,
): Promise<Result<readonly Explanation[], WireError>> {
  const { explainContainer } = AgentStateDefinition.methods;
  const request = toExplainRequest(query);
  const answer = await callUnary(client, AgentStateDefinition, explainContainer, request, deadline);
  return answer.ok ? ok(answer.value.explanations.map(toExplanation)) : answer;
}
