// SPDX-License-Identifier: Apache-2.0
// Asks a running agent for its containers.

import { Client, credentials, status } from "@grpc/grpc-js";
import { AgentStateDefinition } from "@rthooks/proto";
import { err, ok, type Result } from "@rthooks/result";
import type { ContainerRecord } from "../core/container-record.ts";
import { renderServerAddress, type ServerAddress } from "../core/server-address.ts";
import { toContainerRecord } from "../wire/messages.ts";
import { callUnary } from "../wire/service.ts";

/** The error says which agent, why, and what to try. */
export async function fetchContainers(
  address: ServerAddress,
  timeoutMs: number,
): Promise<Result<readonly ContainerRecord[], string>> {
  const target = renderServerAddress(address);
  const client = new Client(target, credentials.createInsecure(), {
    // A node's whole list may be larger than the default of 4 MB.
    "grpc.max_receive_message_length": -1,
    "grpc.enable_retries": 0,
  });
  try {
    const deadline = new Date(Date.now() + timeoutMs);
    const { methods } = AgentStateDefinition;
    const answer = await callUnary(client, AgentStateDefinition, methods.listContainers, {}, deadline);
    if (answer.ok) return ok(answer.value.containers.map(toContainerRecord));
    const { code, details } = answer.error;
    switch (code) {
      case status.UNAVAILABLE:
        return err(
          `cannot reach the agent at ${target}: ${details}. Is it running, and with this --server-address? A socket needs root.`,
        );
      case status.DEADLINE_EXCEEDED:
        return err(
          `the agent at ${target} did not answer within ${timeoutMs} ms: see its log, or give a longer --timeout`,
        );
      case status.UNIMPLEMENTED:
        return err(`what listens at ${target} is another agent, without a list of containers: ${details}`);
      default:
        return err(`the agent at ${target} answered with an error: ${details}`);
    }
  } finally {
    client.close();
  }
}
