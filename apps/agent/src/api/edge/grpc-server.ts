// SPDX-License-Identifier: Apache-2.0
// The agent's gRPC server: its addresses, the bounds for its clients, and its end.

import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { boundConnections, type ConnectionBounds, type ServerTls } from "@rthooks/grpc";
import type { Logger } from "@rthooks/log";
import { renderAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { ServerAddress } from "../../base/core/server-address.ts";
import { serveReadsOnly } from "../../base/wire/serve-reads-only.ts";
import { registerServices, type ServiceOptions } from "./agent-services.ts";
import { type SocketFile, stageSocket } from "./socket-file.ts";

export interface GrpcServer {
  /** Starts to listen. Returns the address with the actual port. */
  listen(address: ServerAddress): Promise<Result<ServerAddress, string>>;
  /** Stops accepting calls and waits for those in progress, at most this long. True: all were answered. */
  drain(timeoutMs: number): Promise<boolean>;
}

/** Time to send the last answers. */
const flushMs = 200;
/** Concurrent streams of one connection; the minimum that RFC 9113, section 6.5.2, recommends. */
const maxStreams = 100;
/** The NRI plugin keeps its connection open between containers. */
const maxIdleMs = 10 * 60_000;
const warnEveryMs = 10_000;

export interface GrpcServerOptions extends ServiceOptions {
  /** Serve calls that change state on TCP also to clients without a certificate. */
  readonly allowsChangesOnTcp: boolean;
  /** Undefined: TCP without TLS. */
  readonly tls: ServerTls | undefined;
  /** For all unix sockets together, and once more for TCP. */
  readonly bounds: ConnectionBounds;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { bounds, metrics, log } = options;
  // grpc-js would write its own lines to stderr; its errors are returned as well.
  setLogVerbosity(logVerbosity.NONE);
  const servers = { unix: openServer(bounds, metrics, log), tcp: openServer(bounds, metrics, log) };
  /** Bound targets: without channelz, grpc-js 1.14.7 finds connections only by their target. */
  const bound: { readonly server: Server; readonly target: string }[] = [];
  const calls = countCalls();
  const sockets: SocketFile[] = [];
  const { tls } = options;
  const isTcpTrusted = options.allowsChangesOnTcp || tls?.requiresClientCert === true;
  const tcp = isTcpTrusted ? servers.tcp : serveReadsOnly(servers.tcp);
  const endStreams = [servers.unix, tcp].map((to) => registerServices(to, options, calls.begin));

  const bind = (kind: ServerAddress["kind"], target: string): Promise<Result<number, string>> =>
    new Promise((resolve) => {
      const server = servers[kind];
      const credentials = kind === "tcp" ? tls?.credentials : undefined;
      server.bindAsync(target, credentials ?? ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) bound.push({ server, target: target.replace(/:0$/, `:${port}`) });
        resolve(error === null ? ok(port) : err(describeError(error)));
      });
    });

  const listen = async (address: ServerAddress): Promise<Result<ServerAddress, string>> => {
    if (address.kind === "tcp") {
      const port = await bind("tcp", renderAddress(address));
      return port.ok
        ? ok({ ...address, port: port.value })
        : err(`cannot listen on ${renderAddress(address)}: ${port.error}`);
    }
    const staged = await stageSocket(address.path);
    if (!staged.ok) return staged;
    const taken = await bind("unix", `unix://${staged.value.stagingPath}`);
    if (!taken.ok) {
      staged.value.discard();
      return err(`cannot listen on ${renderAddress(address)}: ${taken.error}`);
    }
    sockets.push(staged.value.publish());
    return ok(address);
  };

  const drain = async (timeoutMs: number): Promise<boolean> => {
    // Remove the sockets first: a hook that connects now retries instead of losing its call.
    for (const socket of sockets) socket.remove();
    for (const end of endStreams) end();
    // A connection closes when its calls have ended, or at the timeout.
    for (const { server, target } of bound) server.drain(target, timeoutMs);
    const all = Object.values(servers);
    const closed = Promise.all(
      all.map((server) => new Promise<void>((done) => server.tryShutdown(() => done()))),
    );
    // Idle connections must not delay the end; only unanswered calls count.
    const answered = calls.idle().then(() => sleep(flushMs));
    await Promise.race([closed, answered, sleep(timeoutMs)]);
    const isDrained = calls.running() === 0;
    for (const server of all) server.forceShutdown();
    return isDrained;
  };

  return { listen, drain };
}

function openServer(bounds: ConnectionBounds, metrics: AgentMetrics, log: Logger): Server {
  const server = new Server({
    // channelz statistics cost each call some 10 %, and the channelz service is not served.
    "grpc.enable_channelz": 0,
    "grpc.max_concurrent_streams": maxStreams,
    "grpc.max_connection_idle_ms": maxIdleMs,
  });
  let lastWarnedMs = -Infinity;
  boundConnections(server, bounds, {
    onEvicted(why) {
      metrics.countEviction(why);
      const nowMs = performance.now();
      if (nowMs - lastWarnedMs < warnEveryMs) return;
      lastWarnedMs = nowMs;
      log.warn("client connection closed", { reason: why, ...bounds });
    },
    onHandshakeFailure: (reason) => log.debug("a client was refused by TLS", { reason }),
  });
  return server;
}

interface CallCount {
  /** Returns the function that ends the call. */
  begin(): () => void;
  running(): number;
  /** Resolves when no call runs. */
  idle(): Promise<void>;
}

function countCalls(): CallCount {
  let running = 0;
  let onIdle = (): void => {};
  return {
    begin: () => {
      running++;
      let hasEnded = false;
      return () => {
        if (hasEnded) return;
        hasEnded = true;
        running--;
        if (running === 0) onIdle();
      };
    },
    running: () => running,
    idle: () =>
      new Promise((resolve) => {
        if (running === 0) resolve();
        else onIdle = resolve;
      }),
  };
}

/** The timer does not keep the process alive. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
