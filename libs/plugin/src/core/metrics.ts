// SPDX-License-Identifier: Apache-2.0
// What the plugin counts.

import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

type Outcome = "ok" | "denied" | "error";

export interface Metrics {
  /** An event of the runtime was answered. */
  observe(event: string, outcome: Outcome, seconds: number): void;
  /** An event was answered after the runtime's deadline. */
  countLate(): void;
  countSession(): void;
  countReport(kind: "synchronize" | "stopped", succeeded: boolean): void;
  /** The hook of a container has not come to the agent; the handler is the runtime's. */
  countUnhooked(handler: string): void;
  /** A container was refused, since the runtime could not describe the node's containers with it. */
  countTooLarge(): void;
  /** All of them, for the reference. */
  readonly registry: Registry;
  /** In Prometheus' text form. */
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
    ...named("event_seconds", "Time from the runtime's event to the plugin's answer."),
    labelNames: ["event", "outcome"],
    buckets: latencyBuckets,
  });
  const late = new Counter(named("late_answers_total", "Answers after the runtime's deadline."));
  const sessions = new Counter(named("sessions_total", "Sessions with a runtime that came to serve."));
  const reports = new Counter({
    ...named("agent_reports_total", "What the agent was told beside the events that wait for it."),
    labelNames: ["kind", "outcome"],
  });
  const unhooked = new Counter({
    ...named("unhooked_total", "Containers whose hook has not come to the agent, by the runtime's handler."),
    labelNames: ["handler"],
  });
  const tooLarge = new Counter(
    named("too_large_total", "Containers refused, since the node's could not be described to a new plugin."),
  );
  const serving = new Gauge(named("serving", "1 while a runtime's events are answered."));
  const unsynchronized = new Gauge(
    named("unsynchronized", "1 while the runtime configures this plugin and does not synchronize it."),
  );
  const connected = new Gauge(named("agent_connected", "1 while there is a connection to the agent."));
  const containers = new Gauge(named("containers", "Containers that the plugin knows."));

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
