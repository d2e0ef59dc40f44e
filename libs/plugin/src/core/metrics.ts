// SPDX-License-Identifier: Apache-2.0
// Metrics of the plugin.

import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

type Outcome = "ok" | "denied" | "error";

export interface Metrics {
  /** The plugin answered an event of the runtime. */
  observe(event: string, outcome: Outcome, seconds: number): void;
  /** The plugin answered an event after the runtime's deadline. */
  countLate(): void;
  countSession(): void;
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
  readonly serving: boolean;
  readonly unsynchronized: boolean;
  readonly agentConnected: boolean;
  readonly containers: number;
}

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
  const serving = new Gauge(named("serving", "1 while the NRI session is synchronized and receives events."));
  const unsynchronized = new Gauge(
    named("unsynchronized", "1 while the runtime configures this plugin but does not synchronize it."),
  );
  const connected = new Gauge(named("agent_connected", "1 while the plugin is connected to the agent."));
  const containers = new Gauge(named("containers", "Containers of the runtime that the plugin knows."));

  return {
    registry,
    observe: (event, outcome, seconds) => events.observe({ event, outcome }, seconds),
    countLate: () => late.inc(),
    countSession: () => sessions.inc(),
    countReport: (kind, succeeded) => reports.inc({ kind, outcome: succeeded ? "ok" : "error" }),
    countUnhooked: (handler) => unhooked.inc({ handler }),
    countTooLarge: () => tooLarge.inc(),
    render(gauges) {
      unsynchronized.set(gauges.unsynchronized ? 1 : 0);
      serving.set(gauges.serving ? 1 : 0);
      connected.set(gauges.agentConnected ? 1 : 0);
      containers.set(gauges.containers);
      return registry.metrics();
    },
  };
}
