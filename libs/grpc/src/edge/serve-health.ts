// SPDX-License-Identifier: Apache-2.0
// The gRPC health service (grpc.health.v1) of a program, on a port of its own. The health is examined when a client asks;
// for clients of Watch, at an interval.

import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import { parseAddress } from "@rthooks/net";
import type { HealthCheckRequest, HealthCheckResponse, HealthListResponse } from "@rthooks/proto/health";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ConnectionBounds } from "../core/connection-table.ts";
import { healthDefinition } from "../wire/health-definition.ts";
import { boundConnections } from "./bound-connections.ts";
import { createHealthWatchers, type ServingStates, toStatus, type WatchCall } from "./health-watchers.ts";

export interface HealthOptions {
  /** "host:port"; without a host on all addresses. */
  readonly address: string;
  /** Between two examinations for clients of Watch. */
  readonly intervalMs: number;
  /** Examines the health. */
  check(): Promise<ServingStates>;
  readonly log: Logger;
}

export interface HealthServer {
  readonly port: number;
  /** Examines the health now, and sends changes to the clients of Watch. */
  update(): Promise<void>;
  close(): void;
}

/** Probes are small and few. */
const bounds: ConnectionBounds = {
  maxConnections: 32,
  maxConnectionBytes: 64 * 1024,
  maxTotalBytes: 1024 * 1024,
};
const maxStreams = 16;
const maxRequestBytes = 4096;
const maxIdleMs = 5 * 60_000;

/** The error is one line that follows the name of the flag. */
export async function serveHealth(options: HealthOptions): Promise<Result<HealthServer, string>> {
  const { address, intervalMs, log } = options;
  const parsed = parseAddress(address);
  if (
    !parsed.ok ||
    parsed.value.kind !== "tcp" ||
    parsed.value.scheme !== "" ||
    parsed.value.port === undefined
  ) {
    return err(`${address}: use host:port`);
  }
  const { host, port } = parsed.value;
  /** Undefined after a bug. */
  const check = async (): Promise<ServingStates | undefined> => {
    try {
      return await options.check();
    } catch (error) {
      log.error("the health cannot be examined", { err: describeError(error) });
      return undefined;
    }
  };

  const watchers = createHealthWatchers(check, intervalMs);

  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    "grpc.enable_channelz": 0,
    "grpc.max_concurrent_streams": maxStreams,
    "grpc.max_receive_message_length": maxRequestBytes,
    "grpc.max_connection_idle_ms": maxIdleMs,
  });
  boundConnections(server, bounds, {
    onEvicted: (why) => log.debug("health connection closed", { reason: why }),
    onHandshakeFailure: () => {},
  });
  server.addService(healthDefinition, {
    Check: async (
      { request: { service } }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      answer: sendUnaryData<HealthCheckResponse>,
    ) => {
      const states = await check();
      if (states === undefined) return answer(unexamined);
      const isServing = states.get(service);
      if (isServing !== undefined) return answer(null, { status: toStatus(isServing) });
      answer({ code: status.NOT_FOUND, details: "unknown service: use liveness, readiness, or none" });
    },
    List: async (_: unknown, answer: sendUnaryData<HealthListResponse>) => {
      const states = await check();
      if (states === undefined) return answer(unexamined);
      const statuses = new Map<string, HealthCheckResponse>();
      for (const [service, isServing] of states) statuses.set(service, { status: toStatus(isServing) });
      answer(null, { statuses });
    },
    Watch: (call: WatchCall) => void watchers.watch(call),
  });

  // Without a host: both families, or IPv4 where the kernel has no IPv6.
  const hosts = host === "" ? ["[::]", "0.0.0.0"] : [host.includes(":") ? `[${host}]` : host];
  let why = "";
  for (const candidate of hosts) {
    const bound = await bind(server, `${candidate}:${port}`);
    if (bound.ok) {
      const close = (): void => {
        watchers.close();
        server.forceShutdown();
      };
      return ok({ port: bound.value, update: watchers.update, close });
    }
    why = bound.error;
  }
  return err(`${address}: ${why}`);
}

function bind(server: Server, target: string): Promise<Result<number, string>> {
  return new Promise((resolve) =>
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) =>
      resolve(error === null ? ok(port) : err(describeError(error))),
    ),
  );
}

const unexamined = { code: status.INTERNAL, details: "the health cannot be examined; see the log" };
