// SPDX-License-Identifier: Apache-2.0

import { Client, credentials } from "@grpc/grpc-js";
import { renderAddress } from "@rthooks/net";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { ServerAddress } from "../../base/core/server-address.ts";
import { callUnary } from "../../base/wire/service.ts";
import type { Reach } from "../core/health.ts";

/** Calls this agent over a new connection, as a hook does. */
export async function callSelf(address: ServerAddress, deadline: Date): Promise<Reach> {
  const options = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_channelz": 0 };
  const client = new Client(renderAddress(address), credentials.createInsecure(), options);
  const { getVersion } = FineGuidanceSensorsDefinition.methods;
  const answer = await callUnary(client, FineGuidanceSensorsDefinition, getVersion, {}, deadline);
  client.close();
  if (answer.ok) return "answers";
  return answer.error.code === grpcCode.unavailable ? "unreachable" : "slow";
}
