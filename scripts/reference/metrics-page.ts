// SPDX-License-Identifier: Apache-2.0
import { createAgentMetrics } from "../../apps/agent/src/base/core/agent-metrics.ts";
import { createOperatorMetrics } from "../../apps/operator/src/core/operator-metrics.ts";
import { registerProcessMetrics } from "../../libs/metrics/src/edge/process-metrics.ts";
import { createMetrics } from "../../libs/plugin/src/core/metrics.ts";
import { renderCode, renderTable } from "./markdown.ts";

/** What a registry of prom-client gives of a metric; its declarations leave the labels out. */
interface Metric {
  readonly name: string;
  readonly type: unknown;
  readonly help: string;
  readonly labelNames?: unknown;
}

export function renderMetricsPage(): string {
  const { registry } = createMetrics();
  const ofPlugin = registry.getMetricsAsArray();
  registerProcessMetrics(registry);
  const ofProcess = registry.getMetricsAsArray().slice(ofPlugin.length);
  return [
    "# Metrics",
    "In the text format of Prometheus, at `/metrics`. The endpoint has no authentication: serve it on the loopback interface or on a unix socket (`unix:///path`).",
    "## tetragon",
    "Served at `--metrics-server`. A metric that Tetragon has too has Tetragon's name.",
    renderMetrics(createAgentMetrics("").registry.getMetricsAsArray()),
    "## tetragon-nri-hook",
    "Served at `--metrics-address`, or at `--nri-hook.metrics-address` of `tetragon-oci-hook-setup install`.",
    renderMetrics(ofPlugin),
    "## tetragon-operator",
    "Served by `tetragon-operator serve` at `--metrics-bind-address`.",
    renderMetrics(createOperatorMetrics().registry.getMetricsAsArray()),
    "## All",
    "Metrics of the process, with the names that Prometheus clients use.",
    renderMetrics(ofProcess),
  ].join("\n\n");
}

function renderMetrics(metrics: readonly Metric[]): string {
  const rows = metrics.map((metric) => [
    renderCode(metric.name),
    String(metric.type),
    Array.isArray(metric.labelNames) ? metric.labelNames.map(String).map(renderCode).join(", ") : "",
    metric.help,
  ]);
  return renderTable(["metric", "type", "labels", "meaning"], rows);
}
