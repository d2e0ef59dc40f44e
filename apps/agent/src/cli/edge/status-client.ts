// SPDX-License-Identifier: Apache-2.0
// Asks a running agent for what it knows.

import { Client, credentials } from "@grpc/grpc-js";
import { AgentStateDefinition, FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import { toContainerRecord } from "../../api/wire/messages.ts";
import { toPolicyStatus } from "../../api/wire/policy-messages.ts";
import { renderServerAddress, type ServerAddress } from "../../base/core/server-address.ts";
import { callUnary, type WireError } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";
import { describeUnreachable } from "../core/unreachable-agent.ts";

export interface AgentStatus {
  /** "running", or what is wrong as well. */
  readonly health: string;
  readonly containers: readonly ContainerRecord[];
}

/** The error says which agent, why, and what to try. */
export const fetchStatus = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<AgentStatus, string>> =>
  ask(address, timeoutMs, "containers", async (client, deadline) => {
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
  });

/** Likewise. */
export const fetchPolicies = (
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<readonly PolicyStatus[], string>> =>
  ask(address, timeoutMs, "policies", async (client, deadline) => {
    const service = FineGuidanceSensorsDefinition;
    const request = { domain: "" };
    const answer = await callUnary(client, service, service.methods.listTracingPolicies, request, deadline);
    return answer.ok ? ok(answer.value.policies.map(toPolicyStatus)) : answer;
  });

async function ask<T>(
  address: ServerAddress,
  timeoutMs: number,
  what: string,
  call: (client: Client, deadline: Date) => Promise<Result<T, WireError>>,
): Promise<Result<T, string>> {
  const target = renderServerAddress(address);
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
