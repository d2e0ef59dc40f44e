// SPDX-License-Identifier: Apache-2.0

import type { AgentLink } from "@rthooks/hold";
import type { HookEvent } from "@rthooks/machines/hook";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { grpcCode, renderGrpcError } from "@rthooks/proto/grpc-code";
import { createUnaryCall, type UnaryCall, type UnaryOutcome } from "@rthooks/proto/unary";
import type { Result } from "@rthooks/result";
import type { ErrnoName, Stream, SysError, System } from "@rthooks/sys";

/** Whether the agent is not listening yet, or its backlog is full, so that another attempt may succeed. */
function isTransient(code: ErrnoName): boolean {
  switch (code) {
    case "ENOENT":
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EAGAIN":
    case "EPIPE":
    case "ENOTCONN":
      return true;
    default:
      return false;
  }
}

const trusted = [TRUSTED_HEADER, "1"] as const; // const: a pair

const nothing = new Uint8Array();

interface Attempt {
  readonly stream: Stream;
  readonly call: UnaryCall;
  /** Bytes that the socket has not accepted yet. */
  unsent: Uint8Array;
  wasReady: boolean;
}

export function openUnixLink(
  system: System,
  connect: (path: string) => Result<Stream, SysError>,
  path: string,
): AgentLink {
  let attempt: Attempt | undefined;
  let response: Uint8Array | undefined;

  const disconnect = (): void => {
    attempt?.stream.close();
    attempt = undefined;
  };

  /** Closes the attempt and returns its last event. */
  const finish = (event: HookEvent): HookEvent => {
    disconnect();
    return event;
  };

  const conclude = (outcome: UnaryOutcome): HookEvent => {
    switch (outcome.kind) {
      case "response":
        response = outcome.message;
        return { type: "answer.ok" };
      case "lost":
        return { type: "agent.lost" };
      case "status":
        return outcome.code === grpcCode.unavailable
          ? { type: "agent.lost" }
          : refused(renderGrpcError(outcome.code, outcome.message));
      case "violation":
        return refused(`the agent broke the protocol: ${outcome.reason}`);
    }
  };

  /** Receives and sends as much as possible without blocking. */
  const exchange = (current: Attempt): HookEvent | undefined => {
    const received = current.stream.receive();
    if (!received.ok || received.value === undefined) current.call.close();
    else if (received.value.length > 0) current.call.receive(received.value);
    // After an answer the agent may not read any more. Received frames may also need a reply (SETTINGS, PING), which must be
    // sent before the next wait.
    if (current.call.outcome === undefined && !flush(current)) current.call.close();
    const { outcome } = current.call;
    if (outcome !== undefined) return finish(conclude(outcome));
    if (current.wasReady || !current.call.serverReady) return undefined;
    current.wasReady = true;
    return { type: "agent.ready" };
  };

  return {
    get response() {
      return response;
    },
    connect({ path: method, message, userAgent, isTrusted, deadlineAtMs }) {
      disconnect();
      const stream = connect(path);
      if (!stream.ok) {
        return isTransient(stream.error.code)
          ? { type: "agent.lost" }
          : {
              type: "agent.unreachable",
              failure: { kind: "unreachable", reason: stream.error.message },
            };
      }
      const leftMs = deadlineAtMs - system.monotonicMs();
      const timeoutMs = leftMs > 1 ? leftMs : 1;
      const call = createUnaryCall({
        authority: "localhost",
        path: method,
        message,
        userAgent,
        timeoutMs,
        ...(isTrusted ? { metadata: trusted } : {}),
      });
      attempt = { stream: stream.value, call, unsent: nothing, wasReady: false };
      flush(attempt);
      return undefined;
    },
    wait(untilMs) {
      if (attempt === undefined) return pause(system, untilMs);
      for (;;) {
        // Waits first, since the answer is never there yet: one system call less for each container start.
        const leftMs = untilMs - system.monotonicMs();
        attempt.stream.wait(leftMs > 0 ? leftMs : 0, attempt.unsent.length > 0);
        const event = exchange(attempt);
        if (event !== undefined || leftMs <= 0) return event;
      }
    },
    disconnect,
  };
}

const refused = (reason: string): HookEvent => ({
  type: "answer.failed",
  failure: { kind: "refused", reason },
});

/** Sends until all is sent or the socket would block; false if the socket has failed. */
function flush(attempt: Attempt): boolean {
  for (;;) {
    if (attempt.unsent.length === 0) attempt.unsent = attempt.call.takeOutput() ?? nothing;
    if (attempt.unsent.length === 0) return true;
    const sent = attempt.stream.send(attempt.unsent);
    if (!sent.ok) return false;
    if (sent.value === 0) return true;
    attempt.unsent = attempt.unsent.subarray(sent.value);
  }
}

async function pause(system: System, untilMs: number): Promise<undefined> {
  await system.sleep(untilMs - system.monotonicMs());
}
