// SPDX-License-Identifier: Apache-2.0
// Metrics of the plugin.

import type { HookFailure } from "@rthooks/machines/hook";
import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

type Outcome = "ok" | "denied" | "error";

export interface Metrics {
  /** The plugin answered an event of the runtime. */
  observe(event: string, outcome: Outcome, seconds: number): void;
  /** The plugin answered an event after the runtime's deadline. */
  countLate(): void;
  countSession(): void;
  /** The plugin connects to the runtime again. */
  countReconnect(): void;
  /** The plugin asked the agent about a container for which the runtime waited. */
  observeHold(outcome: "released" | "unheld" | "denied", seconds: number): void;
  /** A container starts although the agent has not released it. */
  countUnheld(reason: StartReason): void;
  countDenied(reason: StartReason): void;
  countReport(kind: "synchronize" | "stopped", succeeded: boolean): void;
  /** A container reached StartContainer without a call of its hook to the agent; the handler is the runtime's. */
  countUnhooked(handler: string): void;
  /** The plugin denied a container or pod, since no synchronization could list it with the others of the node. */
  countTooLarge(): void;
  /** All metrics, for docs/reference. */
  readonly registry: Registry;
  /** In the Prometheus text format. */
  render(gauges: Gauges): Promise<string>;
}

interface Gauges {
  /** The state of the session's machine. */
  readonly sessionState: string;
  readonly serving: boolean;
  readonly unsynchronized: boolean;
  readonly agentConnected: boolean;
  readonly containers: number;
  readonly inspectorClients: number;
}

/** Why a container starts unheld or is denied: a failure of the hook machine, or what the plugin found itself. */
export type StartReason = HookFailure["kind"] | "no-hook" | "late" | "internal" | "too-large";

const startReasons: Readonly<Record<StartReason, true>> = {
  ...{ spec: true, unreachable: true, deadline: true, refused: true },
  ...{ "no-hook": true, late: true, internal: true, "too-large": true },
};

/** The states of the NRI session's machine in which the plugin can stay. */
export const sessionStates = [
  "dialing",
  "registering",
  "configuring",
  "synchronizing",
  "serving",
  "unsynchronized",
  "backingOff",
  "stopped",
];

/** Names of runtime handlers come from the runtime. Beyond so many they are counted as one. */
const MAX_HANDLERS = 32;

const PREFIX = "tetragon_nri_hook";

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const named = (name: string, help: string) => ({ name: `${PREFIX}_${name}`, help, registers });
  const events = new Histogram({
    ...named("event_seconds", "Time from receiving an NRI event to answering it, by event and outcome."),
    labelNames: ["event", "outcome"],
    buckets: latencyBuckets,
  });
  const late = new Counter(named("late_answers_total", "NRI events answered after the runtime's deadline."));
  const sessions = new Counter(named("sessions_total", "NRI sessions that were synchronized."));
  const reconnects = new Counter(
    named("reconnects_total", "Attempts to connect to the runtime again, after a session or without one."),
  );
  const holds = new Histogram({
    ...named(
      "held_seconds",
      "Time for which the runtime was held at StartContainer while the plugin asked the agent, by outcome: released by the agent, allowed unheld or denied by the fail check.",
    ),
    labelNames: ["outcome"],
    buckets: latencyBuckets,
  });
  const unheld = new Counter({
    ...named("unheld_total", "Containers that start although the agent has not released them, by reason."),
    labelNames: ["reason"],
  });
  const denied = new Counter({
    ...named("denied_total", "Containers that the plugin denied, by reason."),
    labelNames: ["reason"],
  });
  const reports = new Counter({
    ...named(
      "agent_reports_total",
      "Reports to the agent for which no container waits, by kind and outcome.",
    ),
    labelNames: ["kind", "outcome"],
  });
  const unhooked = new Counter({
    ...named(
      "unhooked_total",
      "Containers at StartContainer whose hook had not called the agent, by runtime handler.",
    ),
    labelNames: ["handler"],
  });
  const tooLarge = new Counter(
    named("too_large_total", "Containers and pods denied because a synchronization could not list them."),
  );
  const state = new Gauge({
    ...named("session_state", "1 for the state of the NRI session, 0 for the others."),
    labelNames: ["state"],
  });
  const inspectorClients = new Gauge(
    named("inspector_clients", "Clients that are connected to the inspector (--inspect-address)."),
  );
  const serving = new Gauge(named("serving", "1 while the NRI session is synchronized and receives events."));
  const unsynchronized = new Gauge(
    named("unsynchronized", "1 while the runtime configures this plugin but does not synchronize it."),
  );
  const connected = new Gauge(named("agent_connected", "1 while the plugin is connected to the agent."));
  const containers = new Gauge(named("containers", "Containers of the runtime that the plugin knows."));

  const handlers = new Set<string>();
  const toHandlerLabel = (handler: string): string => {
    if (handlers.size < MAX_HANDLERS) handlers.add(handler);
    return handlers.has(handler) ? handler : "other";
  };

  // Counters that alerts compare with their past begin at 0, so that the first event is an increase too.
  for (const reason of Object.keys(startReasons)) {
    unheld.inc({ reason }, 0);
    denied.inc({ reason }, 0);
  }

  return {
    registry,
    observe: (event, outcome, seconds) => events.observe({ event, outcome }, seconds),
    countLate: () => late.inc(),
    countSession: () => sessions.inc(),
    countReport: (kind, succeeded) => reports.inc({ kind, outcome: succeeded ? "ok" : "error" }),
    countReconnect: () => reconnects.inc(),
    observeHold: (outcome, seconds) => holds.observe({ outcome }, seconds),
    countUnheld: (reason) => unheld.inc({ reason }),
    countDenied: (reason) => denied.inc({ reason }),
    countUnhooked: (handler) => unhooked.inc({ handler: toHandlerLabel(handler) }),
    countTooLarge: () => tooLarge.inc(),
    render(gauges) {
      for (const name of sessionStates) state.set({ state: name }, name === gauges.sessionState ? 1 : 0);
      inspectorClients.set(gauges.inspectorClients);
      unsynchronized.set(gauges.unsynchronized ? 1 : 0);
      serving.set(gauges.serving ? 1 : 0);
      connected.set(gauges.agentConnected ? 1 : 0);
      containers.set(gauges.containers);
      return registry.metrics();
    },
  };
}
