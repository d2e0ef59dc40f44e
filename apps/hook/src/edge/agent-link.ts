// SPDX-License-Identifier: Apache-2.0

import type { HookEvent } from "@rthooks/machines/hook";
import type { MaybePromise, System } from "@rthooks/sys";
import type { AgentAddress } from "../core/agent-address.ts";

/** One call to make. */
export interface Call {
  /** "/package.Service/Method" */
  readonly path: string;
  /** Encoded protobuf. */
  readonly message: Uint8Array;
  readonly userAgent: string;
  /** On the system's monotonic clock. */
  readonly deadlineAtMs: number;
}

/** The way to the agent: attempts at one call, until one is answered. */
export interface AgentLink {
  /** The encoded answer, once there is one. */
  readonly response: Uint8Array | undefined;
  /** Begins an attempt, with the end of the one before; an event if that is all that will come of it. */
  connect(call: Call): HookEvent | undefined;
  /** What happens next, or nothing by `untilMs`. Without an attempt under way this is a pause. */
  wait(untilMs: number): MaybePromise<HookEvent | undefined>;
  disconnect(): void;
}

/** A unix socket is spoken to directly; for the rest gRPC's own client is loaded. */
export async function openAgentLink(system: System, address: AgentAddress): Promise<AgentLink> {
  if (address.kind === "unix" && system.connectUnix !== undefined) {
    const { openUnixLink } = await import("./unix-link.ts");
    return openUnixLink(system, system.connectUnix, address.path);
  }
  const { openGrpcLink } = await import("./grpc-link.ts");
  return openGrpcLink(system, address);
}
