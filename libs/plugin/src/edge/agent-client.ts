// SPDX-License-Identifier: Apache-2.0
// One connection to the agent, kept open. Calls are made when they come up; what has to be told again when the agent
// comes back hangs on `onConnected`.

import { readFileSync } from "node:fs";
import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { AgentAddress, AgentLink, HookConfig } from "@rthooks/invocation";
import type { HookEvent } from "@rthooks/machines/hook";
import { VOUCHING_HEADER } from "@rthooks/oci";
import { renderGrpcCode } from "@rthooks/proto/unary";
import { describeError, err, ok, type Result } from "@rthooks/result";

interface CallError {
  /** `missing`: the agent finds no such cgroup. */
  readonly kind: "away" | "unimplemented" | "missing" | "refused";
  readonly reason: string;
}

export interface AgentClient {
  /** For one invocation; only one of its calls runs at a time. */
  openLink(): AgentLink;
  call(path: string, message: Uint8Array, timeoutMs: number): Promise<Result<Uint8Array, CallError>>;
  isConnected(): boolean;
  close(): void;
}

/** An agent that comes up is found at once: reconnecting costs a file system lookup. */
const RECONNECT_FIRST_MS = 20;
const RECONNECT_LONGEST_MS = 100;

export function openAgentClient(
  address: AgentAddress,
  config: HookConfig,
  userAgent: string,
  nowMs: () => number,
  onConnected: () => void,
): Result<AgentClient, string> {
  const secured = openCredentials(address, config);
  if (!secured.ok) return secured;
  const client = new Client(toTarget(address), secured.value, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.primary_user_agent": userAgent,
    "grpc.initial_reconnect_backoff_ms": RECONNECT_FIRST_MS,
    "grpc.min_reconnect_backoff_ms": RECONNECT_FIRST_MS,
    "grpc.max_reconnect_backoff_ms": RECONNECT_LONGEST_MS,
    // An idle connection would be closed, and with it the notice that the agent was restarted.
    "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
  });
  const channel = client.getChannel();
  const vouched = new Metadata();
  vouched.set(VOUCHING_HEADER, "1");
  let isClosed = false;

  const isConnected = (): boolean => channel.getConnectivityState(true) === connectivityState.READY;

  const watch = (last: connectivityState): void => {
    channel.watchConnectivityState(last, Number.POSITIVE_INFINITY, () => {
      if (isClosed) return;
      // Asking also makes it connect.
      const now = channel.getConnectivityState(true);
      if (now === connectivityState.READY && last !== now) onConnected();
      watch(now);
    });
  };
  watch(channel.getConnectivityState(true));

  const request = (
    path: string,
    message: Uint8Array,
    timeoutMs: number,
    onAnswer: (error: ServiceError | null, answer: Uint8Array | undefined) => void,
  ): ClientUnaryCall =>
    client.makeUnaryRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      (bytes: Buffer) => new Uint8Array(bytes),
      message,
      vouched,
      { deadline: Date.now() + timeoutMs },
      onAnswer,
    );

  const openLink = (): AgentLink => {
    let current: ClientUnaryCall | undefined;
    let response: Uint8Array | undefined;
    const happened: HookEvent[] = [];
    let wake: (() => void) | undefined;

    const disconnect = (): void => {
      const call = current;
      current = undefined;
      call?.cancel();
      happened.length = 0;
    };

    return {
      get response() {
        return response;
      },
      connect({ path, message, deadlineAtMs }) {
        disconnect();
        // Beyond the invocation's own deadline, so that it is the one to say so.
        const call = request(path, message, Math.max(1, deadlineAtMs - nowMs()) + 1000, (error, answer) => {
          if (call !== current) return;
          if (error === null) response = answer;
          happened.push(error === null ? { type: "answer.ok" } : toEvent(error));
          wake?.();
        });
        current = call;
        if (isConnected()) happened.push({ type: "agent.ready" });
        return undefined;
      },
      async wait(untilMs) {
        if (happened.length === 0) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, Math.max(0, untilMs - nowMs()));
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
          wake = undefined;
        }
        return happened.shift();
      },
      disconnect,
    };
  };

  return ok({
    openLink,
    isConnected,
    call: (path, message, timeoutMs) =>
      new Promise((resolve) => {
        request(path, message, timeoutMs, (error, answer) =>
          resolve(error === null ? ok(answer ?? new Uint8Array()) : err(toCallError(error))),
        );
      }),
    close() {
      isClosed = true;
      client.close();
    },
  });
}

const toTarget = (address: AgentAddress): string =>
  address.kind === "unix" ? `unix://${address.path}` : `dns:///${address.target}`;

function openCredentials(address: AgentAddress, config: HookConfig): Result<ChannelCredentials, string> {
  if (address.kind !== "tcp" || !address.tls) return ok(credentials.createInsecure());
  const read = (path: string): Buffer | null => (path === "" ? null : readFileSync(path));
  try {
    return ok(
      credentials.createSsl(
        read(config["tls-ca-file"]),
        read(config["tls-key-file"]),
        read(config["tls-cert-file"]),
      ),
    );
  } catch (error) {
    return err(describeError(error));
  }
}

const renderError = ({ code, details }: ServiceError): string =>
  `rpc error: code = ${renderGrpcCode(code)} desc = ${details}`;

const toEvent = (error: ServiceError): HookEvent =>
  error.code === status.UNAVAILABLE
    ? { type: "agent.lost" }
    : { type: "answer.failed", failure: { kind: "refused", reason: renderError(error) } };

function toCallError(error: ServiceError): CallError {
  const reason = renderError(error);
  switch (error.code) {
    case status.UNIMPLEMENTED:
      return { kind: "unimplemented", reason };
    case status.NOT_FOUND:
      return { kind: "missing", reason };
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return { kind: "away", reason };
    default:
      return { kind: "refused", reason };
  }
}
