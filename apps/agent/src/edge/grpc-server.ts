// SPDX-License-Identifier: Apache-2.0
// The agent's gRPC server: Tetragon's FineGuidanceSensors as far as hooks need it, ContainerEvents and AgentState.

import { logVerbosity, Server, ServerCredentials, setLogVerbosity, status } from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import {
  AgentStateDefinition,
  ContainerEventsDefinition,
  FineGuidanceSensorsDefinition,
  HealthStatusResult,
  HealthStatusType,
} from "@rthooks/proto";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../core/agent-metrics.ts";
import { renderHealth } from "../core/health.ts";
import type { Lifecycle } from "../core/lifecycle.ts";
import type { PolicyStore } from "../core/policy-store.ts";
import { renderServerAddress, type ServerAddress } from "../core/server-address.ts";
import { type AgentInfo, toInfoMessage } from "../wire/info-message.ts";
import { toContainerMessage } from "../wire/messages.ts";
import { registerUnary } from "../wire/service.ts";
import type { PolicyArchive } from "./policy-archive.ts";
import { registerPolicyService } from "./policy-service.ts";
import { type RuntimeHookOptions, registerRuntimeHook } from "./runtime-hook.ts";
import { type SocketFile, stageSocket } from "./socket-file.ts";

export interface GrpcServer {
  /** Starts to listen; gives the address with the port that was taken. */
  listen(address: ServerAddress): Promise<Result<ServerAddress, string>>;
  /** Takes no new calls, and waits this long at most for those that run. True: all were answered. */
  drain(timeoutMs: number): Promise<boolean>;
}

/** Each known one costs a look at its cgroup. */
const maxStopped = 1000;
/** Time for the last answers to leave the process. */
const flushMs = 200;

export interface GrpcServerOptions {
  readonly lifecycle: Lifecycle;
  readonly policies: PolicyStore;
  readonly archive: PolicyArchive;
  readonly awaitPod: RuntimeHookOptions["awaitPod"];
  readonly log: Logger;
  readonly info: AgentInfo;
  readonly metrics: AgentMetrics;
  /** What the agent cannot do just now although it was asked to, one line each. */
  listProblems(): readonly string[];
}

export function createGrpcServer({
  lifecycle,
  policies,
  archive,
  awaitPod,
  log,
  info,
  metrics,
  listProblems,
}: GrpcServerOptions): GrpcServer {
  // grpc-js would write lines of its own form to stderr; what it has to say comes back as errors too.
  setLogVerbosity(logVerbosity.NONE);
  // Nobody can ask for the figures of channelz, and they cost each call some 10 %.
  const server = new Server({ "grpc.enable_channelz": 0 });
  /** What was bound: without channelz, grpc-js 1.14.7 finds the connections by that alone. */
  const targets: string[] = [];
  const calls = countCalls();
  const sockets: SocketFile[] = [];
  const onBug = (error: unknown): void => log.error("a handler failed", { err: describeError(error) });
  const sensors = FineGuidanceSensorsDefinition;
  const findHealth = () => ({
    event: HealthStatusType.HEALTH_STATUS_TYPE_STATUS,
    status: HealthStatusResult.HEALTH_STATUS_RUNNING,
    details: renderHealth(listProblems()),
  });

  const { version } = info;
  registerUnary(server, sensors, sensors.methods.getVersion, (_, answer) => answer(ok({ version })), onBug);
  registerUnary(
    server,
    sensors,
    sensors.methods.getInfo,
    (_, answer) => answer(ok(toInfoMessage(info))),
    onBug,
  );
  registerUnary(
    server,
    sensors,
    sensors.methods.getHealth,
    (_, answer) => answer(ok({ healthStatus: [findHealth()] })),
    onBug,
  );
  registerRuntimeHook(server, { lifecycle, awaitPod, metrics, log, onBug, beginCall: calls.begin });
  registerPolicyService(server, policies, archive, log, onBug);
  registerUnary(
    server,
    ContainerEventsDefinition,
    ContainerEventsDefinition.methods.reportStopped,
    ({ containerIds }, answer) => {
      if (containerIds.length > maxStopped) {
        const details = `ReportStopped: ${containerIds.length} containers, more than ${maxStopped} in one call`;
        answer(err({ code: status.INVALID_ARGUMENT, details }));
        return;
      }
      lifecycle.reportStopped(containerIds);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    server,
    AgentStateDefinition,
    AgentStateDefinition.methods.listContainers,
    (_, answer) => answer(ok({ containers: lifecycle.list().map(toContainerMessage) })),
    onBug,
  );

  const bind = (target: string): Promise<Result<number, string>> =>
    new Promise((resolve) => {
      server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) targets.push(target.replace(/:0$/, `:${port}`));
        resolve(error === null ? ok(port) : err(describeError(error)));
      });
    });

  const listen = async (address: ServerAddress): Promise<Result<ServerAddress, string>> => {
    if (address.kind === "tcp") {
      const bound = await bind(renderServerAddress(address));
      return bound.ok
        ? ok({ ...address, port: bound.value })
        : err(`cannot listen on ${renderServerAddress(address)}: ${bound.error}`);
    }
    const staged = await stageSocket(address.path);
    if (!staged.ok) return staged;
    const bound = await bind(`unix://${staged.value.stagingPath}`);
    if (!bound.ok) {
      staged.value.discard();
      return err(`cannot listen on ${renderServerAddress(address)}: ${bound.error}`);
    }
    sockets.push(staged.value.publish());
    return ok(address);
  };

  const drain = async (timeoutMs: number): Promise<boolean> => {
    // Out of sight first: a hook that comes now finds no socket and tries again, and is not half served.
    for (const socket of sockets) socket.remove();
    // Connections are ended when their calls are, or when the time is over.
    for (const target of targets) server.drain(target, timeoutMs);
    const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    // A connection that is merely open would hold up the end; what counts is that calls are answered.
    const answered = calls.idle().then(() => sleep(flushMs));
    await Promise.race([closed, answered, sleep(timeoutMs)]);
    const isDrained = calls.running() === 0;
    server.forceShutdown();
    return isDrained;
  };

  return { listen, drain };
}

interface CallCount {
  /** Gives the function that ends the call. */
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

/** Does not keep the process alive. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
