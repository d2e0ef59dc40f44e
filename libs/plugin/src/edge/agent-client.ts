// SPDX-License-Identifier: Apache-2.0
// Client of the agent over one connection that stays open: for hold requests, and for reports that no container waits for.

import type { AgentAddress, AgentLink, HookConfig } from "@rthooks/hold";
import { createLinkEvents } from "@rthooks/hold/link-events";
import type { HookEvent } from "@rthooks/machines/hook";

import { grpcCode, renderGrpcError } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import { isReleased, toGetContainer } from "../wire/agent-calls.ts";
import { type GrpcOutcome, openGrpcSession } from "./grpc-session.ts";

interface CallError {
  /** `missing`: the agent found no such cgroup or container. */
  readonly kind: "away" | "unimplemented" | "missing" | "refused";
  readonly reason: string;
}

export interface AgentClient {
  /** A link for one held container, which makes one call at a time. */
  openLink(): AgentLink;
  call(path: string, message: Uint8Array, timeoutMs: number): Promise<Result<Uint8Array, CallError>>;
  /** Whether the agent has released the container; undefined without an answer. */
  hasReleased(containerId: string, timeoutMs: number): Promise<boolean | undefined>;
  isConnected(): boolean;
  close(): void;
}

/** Added to the call's deadline, so that the deadline of the hold expires first and is the one reported. */
const SPARE_MS = 1000;

export function openAgentClient(
  address: AgentAddress,
  config: HookConfig,
  userAgent: string,
  nowMs: () => number,
  onConnected: () => void,
): AgentClient {
  const session = openGrpcSession(address, config, onConnected);

  const openLink = (): AgentLink => {
    let cancel: (() => void) | undefined;
    let response: Uint8Array | undefined;
    const events = createLinkEvents(nowMs);

    const disconnect = (): void => {
      cancel?.();
      cancel = undefined;
      events.clear();
    };

    return {
      get response() {
        return response;
      },
      connect({ deadlineAtMs, ...call }) {
        disconnect();
        const timeoutMs = Math.max(1, deadlineAtMs - nowMs()) + SPARE_MS;
        cancel = session.call({ ...call, timeoutMs }, (outcome) => {
          if (outcome.kind === "answer") response = outcome.message;
          events.push(toEvent(outcome));
        });
        if (session.isReady()) events.push({ type: "agent.ready" });
        return undefined;
      },
      wait: events.next,
      disconnect,
    };
  };

  const call: AgentClient["call"] = (path, message, timeoutMs) =>
    new Promise((resolve) => {
      // What the plugin reports by itself has no annotations but its own.
      session.call({ path, message, timeoutMs, userAgent, isTrusted: true }, (outcome) =>
        resolve(outcome.kind === "answer" ? ok(outcome.message) : err(toCallError(outcome))),
      );
    });

  return {
    openLink,
    isConnected: session.isReady,
    call,
    async hasReleased(containerId, timeoutMs) {
      const { path, message } = toGetContainer(containerId);
      const answer = await call(path, message, timeoutMs);
      if (answer.ok) return isReleased(answer.value);
      return answer.error.kind === "missing" ? false : undefined;
    },
    close: session.close,
  };
}

type Failed = Exclude<GrpcOutcome, { kind: "answer" }>;

const renderStatus = ({ code, message }: Extract<GrpcOutcome, { kind: "status" }>): string =>
  renderGrpcError(code, message);

function toEvent(outcome: GrpcOutcome): HookEvent {
  if (outcome.kind === "answer") return { type: "answer.ok" };
  return outcome.kind === "lost" || outcome.code === grpcCode.unavailable
    ? { type: "agent.lost" }
    : { type: "answer.failed", failure: { kind: "refused", reason: renderStatus(outcome) } };
}

function toCallError(outcome: Failed): CallError {
  if (outcome.kind === "lost") return { kind: "away", reason: "no agent answers" };
  const reason = renderStatus(outcome);
  switch (outcome.code) {
    case grpcCode.unimplemented:
      return { kind: "unimplemented", reason };
    case grpcCode.notFound:
      return { kind: "missing", reason };
    case grpcCode.unavailable:
    case grpcCode.deadlineExceeded:
      return { kind: "away", reason };
    default:
      return { kind: "refused", reason };
  }
}
