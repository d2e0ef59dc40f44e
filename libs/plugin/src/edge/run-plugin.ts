// SPDX-License-Identifier: Apache-2.0
// Starts the plugin: connects its parts, and stops them with the session.

import { performance } from "node:perf_hooks";
import type { HealthOptions, HealthServer } from "@rthooks/grpc";
import { createHookLog, loadFailRules, parseAgentAddress } from "@rthooks/hold";
import type { Logger } from "@rthooks/log";
import type { Inspect } from "@rthooks/machines/inspection";
import { registerProcessMetrics, serveMetrics } from "@rthooks/metrics";
import { err, ok, type Result } from "@rthooks/result";
import { openSystem } from "@rthooks/sys";
import { raisePriority } from "@rthooks/sys/priority";
import { createKnownContainers } from "../core/known-containers.ts";
import { createMetrics } from "../core/metrics.ts";
import type { PluginMode } from "../core/plugin-flags.ts";
import type { PluginHealth } from "../core/plugin-health.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { type AgentClient, openAgentClient } from "./agent-client.ts";
import type { Clock, Decider } from "./decide-container.ts";
import { createFindCgroupPath } from "./find-cgroup-path.ts";
import { createEventHandlers } from "./handle-events.ts";
import { createLateLog } from "./late-log.ts";
import { createReporter } from "./reporter.ts";
import { type Session, startSession, type Transport } from "./session.ts";

export interface PluginSetup {
  readonly options: PluginOptions;
  readonly transport: Transport;
  readonly log: Logger;
  readonly version: string;
  /** The host's root file system in this process's mount namespace. */
  readonly hostRoot: string;
  /** Empty for no metrics. */
  readonly metricsAddress: string;
  /** The health service; undefined: none. */
  readonly health?: PluginHealth | undefined;
  /** Inspects the NRI session, and the hook machine of each container that the plugin holds. */
  readonly inspect?: Inspect | undefined;
  /** How many clients the inspector has. */
  inspectorClients?(): number;
  /** Options with the configuration that the runtime sends; the error is a sentence for the log. */
  applyConfig?(text: string): Result<PluginOptions, string>;
}

export interface Plugin {
  /** Resolves with the reason when the session has ended and the plugin does not reconnect. */
  readonly stopped: Promise<string>;
  /** Whether the runtime has synchronized it, so that it gets the events. */
  isServing(): boolean;
  /** Stops after the pending events are answered. */
  stop(): void;
}

const REPORT_TIMEOUT_MS = 5_000;
/** Longer than the runtimes' default request timeout. */
const DRAIN_MS = 3_000;

/** Returns a started plugin, or a one-line error with everything closed. */
export async function runPlugin(setup: PluginSetup): Promise<Result<Plugin, string>> {
  const { log, transport } = setup;
  raisePriority();
  const system = await openSystem();
  const clock: Clock = {
    // The same clock as the session's: the System's may count from another origin.
    monotonicMs: () => performance.now(),
    wallClock: () => system.wallClock(),
    sleep: (ms) => Bun.sleep(Math.max(0, ms)),
  };
  const known = createKnownContainers();
  const metrics = createMetrics();
  if (setup.metricsAddress !== "") registerProcessMetrics(metrics.registry);
  const findCgroupPath = createFindCgroupPath(setup.options.procfs, log);
  let client: AgentClient | undefined;
  let decider: Decider | undefined;
  let mode: PluginMode = setup.options.mode;

  const reporter = createReporter({
    known,
    metrics,
    log,
    timeoutMs: REPORT_TIMEOUT_MS,
    findCgroupPath,
    client: () => needed(client),
  });

  const applyOptions = async (options: PluginOptions): Promise<Result<Decider, string>> => {
    const address = parseAgentAddress(options.hookConfig["grpc-address"]);
    if (!address.ok) return err(`--grpc-address: ${address.error}`);
    const rules = await loadFailRules(options.hookConfig);
    if (!rules.ok) return rules;
    const userAgent = `tetragon-nri-hook/${setup.version}`;
    client?.close();
    client = openAgentClient(
      address.value,
      options.hookConfig,
      userAgent,
      clock.monotonicMs,
      reporter.agentConnected,
    );
    mode = options.mode;
    decider = {
      options,
      address: address.value,
      rules: rules.value,
      hookLog: createLateLog(
        createHookLog(system, options.logPath, options.hookConfig["log-level"]),
        options.hostLogPath,
        clock.wallClock,
      ),
      log,
      metrics,
      userAgent,
      clock,
      findCgroupPath,
      inspect: setup.inspect,
      client: () => needed(client),
      reportRefused: reporter.reportRefused,
    };
    return ok(decider);
  };

  const first = await applyOptions(setup.options);
  if (!first.ok) return first;

  let session: Session | undefined;
  let isStopping = false;
  const isServing = (): boolean => session?.isServing() === true;
  const metricsServer =
    setup.metricsAddress === ""
      ? ok(undefined)
      : await serveMetrics(setup.metricsAddress, log, () =>
          metrics.render({
            sessionState: session?.state() ?? "dialing",
            serving: isServing(),
            unsynchronized: session?.isUnsynchronized() === true,
            agentConnected: client?.isConnected() === true,
            containers: known.size,
            inspectorClients: setup.inspectorClients?.() ?? 0,
          }),
        );
  if (!metricsServer.ok) {
    client?.close();
    return err(`--metrics-address ${metricsServer.error}`);
  }

  // A session that is lost comes back without a restart: the plugin is alive, and not ready.
  const health = await serveHealthIfWanted(setup, async () => {
    const isReady = isServing();
    return new Map([
      ["liveness", !isStopping],
      ["readiness", isReady],
      ["", isReady],
    ]);
  });
  if (!health.ok) {
    metricsServer.value?.close();
    client?.close();
    return health;
  }

  const handlers = createEventHandlers({
    known,
    metrics,
    log,
    reporter,
    configure: async (text) => {
      if (setup.applyConfig !== undefined && text !== "") {
        const options = setup.applyConfig(text);
        const applied = options.ok ? await applyOptions(options.value) : options;
        if (!applied.ok) return applied;
      }
      return ok({ mode, decider: needed(decider) });
    },
    findHookRejection: async ({ containerdConfig }, containerdVersion) => {
      const { findHookRejection } = await import("./find-hook-rejection.ts");
      return findHookRejection(setup.hostRoot, containerdConfig, containerdVersion, log);
    },
    onConfigured: () => session?.configured(),
    onSynchronized: () => session?.synchronized(),
  });

  const stopped = new Promise<string>((resolve) => {
    session = startSession({
      transport,
      name: setup.options.name,
      index: setup.options.index,
      log,
      handlers,
      inspect: setup.inspect,
      onServing: metrics.countSession,
      onReconnect: metrics.countReconnect,
      onProblem: reporter.reportProblem,
      onStopped: (reason) => {
        metricsServer.value?.close();
        health.value?.close();
        client?.close();
        resolve(reason);
      },
    });
  });
  /** Answers pending events first: a runtime starts the container when an event gets no answer. */
  const stop = async (): Promise<void> => {
    isStopping = true;
    await health.value?.update();
    await Promise.race([handlers.idle(), clock.sleep(DRAIN_MS)]);
    // The answers are written in the next turn of the event loop.
    await clock.sleep(0);
    session?.stop();
  };
  return ok({ stopped, isServing: () => isServing() && !isStopping, stop: () => void stop() });
}

/** Loaded on demand: most plugins run without it. */
async function serveHealthIfWanted(
  { health, log }: PluginSetup,
  check: HealthOptions["check"],
): Promise<Result<HealthServer | undefined, string>> {
  if (health === undefined) return ok(undefined);
  const { serveHealth } = await import("@rthooks/grpc");
  const opened = await serveHealth({ ...health, check, log });
  return opened.ok ? opened : err(`--health-server-address ${opened.error}`);
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("used before the plugin was set up");
  return value;
}
