// SPDX-License-Identifier: Apache-2.0

import { type AgentAddress, renderFailure } from "@rthooks/hold";
import type { HookEvent } from "@rthooks/machines/hook";
import { GetVersionRequest, GetVersionResponse } from "@rthooks/proto";
import type { HookSetup } from "./create-container.ts";
import { openAgentLink } from "./open-agent-link.ts";

/** Calls GetVersion once, without retries. */
export async function printServerVersion(
  { system, config, log, userAgent }: Pick<HookSetup, "system" | "config" | "log" | "userAgent">,
  address: AgentAddress,
): Promise<0 | 1> {
  const link = await openAgentLink(system, address, config);
  const deadlineAtMs = config["grpc-timeout"];
  const path = "/tetragon.FineGuidanceSensors/GetVersion";
  let event = link.connect({
    path,
    message: GetVersionRequest.encode({}).finish(),
    userAgent,
    isTrusted: false,
    deadlineAtMs,
  });
  while (event === undefined || event.type === "agent.ready") {
    if (system.monotonicMs() >= deadlineAtMs) break;
    event = await link.wait(deadlineAtMs);
  }
  link.disconnect();
  if (event?.type === "answer.ok" && link.response !== undefined) {
    const { version } = GetVersionResponse.decode(link.response);
    system.writeStdout(`${version}\n`);
    await log.write("info", "server-version", { version });
    return 0;
  }
  const error = describe(event, address.text);
  system.writeStderr(`tetragon-oci-hook: failed to get server version: ${error}\n`);
  await log.write("warn", "failed to get server version", { error });
  return 1;
}

function describe(event: HookEvent | undefined, address: string): string {
  if (event !== undefined && "failure" in event) return renderFailure(event.failure, address);
  if (event?.type === "agent.lost") return `connecting to agent (no agent listens there) failed: ${address}`;
  return renderFailure({ kind: "deadline", phase: "requesting" }, address);
}
