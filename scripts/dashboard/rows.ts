// SPDX-License-Identifier: Apache-2.0
// What the dashboard shows, row by row.

import { graph, type Placed, type Query, stat, states } from "./panels.ts";

export interface Row {
  readonly title: string;
  readonly panels: readonly Placed[];
}

const agent = 'instance=~"$instance"';
const plugin = 'instance=~"$plugin"';
const window = "$__rate_interval";

/** The rate of a counter, by one label. */
const rateBy = (label: string, series: string): Query => ({
  expr: `sum by (${label}) (rate(${series}[${window}]))`,
  legend: `{{${label}}}`,
});

const quantiles = (histogram: string, selector: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(${histogram}_bucket{${selector}}[${window}])))`,
    legend: `p${quantile * 100}`,
  }));

const countOf = (condition: string): string => `count(${condition}) or vector(0)`;
const lastHour = (series: string): string => `sum(increase(${series}[1h]))`;

const refused = `tetragon_rthooks_requests_total{${agent}, source=~"hook|nri", outcome="refused"}`;

const glance: Row = {
  title: "At a glance",
  panels: [
    stat(
      {
        title: "Agents not ready",
        description: "Agents that refuse containers, or release them without the policies that select them.",
      },
      countOf(`tetragon_health_serving{${agent}, service="readiness"} == 0`),
      { alarm: "red" },
    ),
    stat(
      {
        title: "Plugins not serving",
        description: "NRI plugins that the runtime does not call: containers start unheld.",
      },
      countOf(`tetragon_nri_hook_serving{${plugin}} == 0`),
      { alarm: "red" },
    ),
    stat(
      {
        title: "Denied in the last hour",
        description: "Hook calls that agents refused, and containers that plugins denied.",
      },
      `(${lastHour(refused)} or vector(0)) + (${lastHour(`tetragon_nri_hook_denied_total{${plugin}}`)} or vector(0))`,
      { alarm: "orange" },
    ),
    stat(
      {
        title: "Unheld in the last hour",
        description: "Containers that started although no agent had released them.",
      },
      `${lastHour(`tetragon_nri_hook_unheld_total{${plugin}}`)} or vector(0)`,
      { alarm: "orange" },
    ),
    stat(
      { title: "Health problems", description: "What GetHealth and `tetragon status` list, of all agents." },
      `sum(tetragon_health_problems{${agent}}) or vector(0)`,
      { alarm: "orange" },
    ),
    stat(
      { title: "Runtimes held now", description: "Containers whose runtime waits for the agent's answer." },
      `sum(tetragon_rthooks_waiting_starts{${agent}}) or vector(0)`,
    ),
  ],
};

const starts: Row = {
  title: "Container starts",
  panels: [
    graph(
      {
        title: "Hook calls",
        description:
          "Answered RuntimeHook calls, by source: the OCI hook, the NRI plugin, and its reports of running containers.",
      },
      [rateBy("source", `tetragon_rthooks_requests_total{${agent}}`)],
      { unit: "reqps", isStacked: true },
    ),
    graph(
      {
        title: "Refused hook calls",
        description: "By kind of error; docs/operator.md says what each means.",
      },
      [rateBy("error", refused)],
      { unit: "reqps", isStacked: true },
    ),
    graph(
      {
        title: "Time the runtime was held by the agent",
        description: "From a hook call to its answer, for calls for which a runtime waits.",
      },
      quantiles("tetragon_rthooks_held_seconds", agent),
      { unit: "s" },
    ),
    graph(
      {
        title: "Wait for the pod's identity",
        description:
          "95th percentile, by the source of the identity in the end; only calls whose pod was not known.",
      },
      [
        {
          expr: `histogram_quantile(0.95, sum by (source, le) (rate(tetragon_rthooks_identity_wait_seconds_bucket{${agent}}[${window}])))`,
          legend: "{{source}}",
        },
      ],
      { unit: "s" },
    ),
  ],
};

const policies: Row = {
  title: "Containers and policies",
  panels: [
    graph(
      { title: "Containers on record", description: "By state." },
      [{ expr: `sum by (state) (tetragon_rthooks_containers{${agent}})`, legend: "{{state}}" }],
      { unit: "short", isStacked: true },
    ),
    graph(
      { title: "Tracing policies", description: "By state, of all agents together." },
      [{ expr: `sum by (state) (tetragon_tracingpolicy_loaded{${agent}})`, legend: "{{state}}" }],
      { unit: "short", isStacked: true },
    ),
    graph(
      {
        title: "Fill of the BPF maps",
        description: "The fullest on any node; policy_map is the map of the filter with most cgroups.",
      },
      [
        {
          expr: `max by (map) (tetragon_map_entries{${agent}} / tetragon_map_capacity{${agent}})`,
          legend: "{{map}}",
        },
      ],
      { unit: "percentunit", max: 1, limit: 0.9 },
    ),
    graph(
      { title: "Failed writes to the BPF maps", description: "The agent tries them again." },
      [
        {
          expr: `sum by (map) (rate(tetragon_map_errors_update_total{${agent}}[${window}]))`,
          legend: "update {{map}}",
        },
        {
          expr: `sum by (map) (rate(tetragon_map_errors_delete_total{${agent}}[${window}]))`,
          legend: "delete {{map}}",
        },
      ],
      { unit: "ops" },
    ),
  ],
};

const sources: Row = {
  title: "Sources",
  panels: [
    graph(
      {
        title: "Silence of the API server",
        description:
          "Time since the last event or bookmark of each watch, the longest of all agents. A bookmark comes about once a minute.",
      },
      [{ expr: `max by (watch) (tetragon_k8s_watch_silence_seconds{${agent}})`, legend: "{{watch}}" }],
      { unit: "s", limit: 300 },
    ),
    graph(
      {
        title: "Complete lists",
        description: "Lists that watches received within an hour: each is a resynchronization.",
      },
      [
        {
          expr: `sum by (watch) (increase(tetragon_k8s_watch_lists_total{${agent}}[1h]))`,
          legend: "{{watch}}",
        },
      ],
      { unit: "short" },
    ),
    graph(
      {
        title: "Changes of pods",
        description: "From the pod source, and hook calls whose pod the API server does not have.",
      },
      [
        rateBy("operation", `tetragon_policyfilter_operations_total{${agent}, subsys="pod-handlers"}`),
        {
          expr: `sum(rate(tetragon_watcher_errors_total{${agent}}[${window}]))`,
          legend: "pod unknown",
        },
      ],
      { unit: "ops" },
    ),
    graph(
      { title: "Health problems", description: "By the part of the agent that has them." },
      [{ expr: `sum by (part) (tetragon_health_problems{${agent}}) > 0`, legend: "{{part}}" }],
      { unit: "short", isStacked: true },
    ),
  ],
};

const nri: Row = {
  title: "NRI plugin",
  panels: [
    graph(
      { title: "Events of the runtime", description: "Answered NRI events, by event." },
      [rateBy("event", `tetragon_nri_hook_event_seconds_count{${plugin}}`)],
      { unit: "ops", isStacked: true },
    ),
    graph(
      {
        title: "Time the runtime was held by the plugin",
        description: "At StartContainer, while the plugin asked the agent.",
      },
      quantiles("tetragon_nri_hook_held_seconds", plugin),
      { unit: "s" },
    ),
    graph(
      {
        title: "Containers denied or unheld",
        description:
          "Within ten minutes, by reason. `unhooked`: the runtime did not run the hook that the plugin had added.",
      },
      [
        {
          expr: `sum by (reason) (increase(tetragon_nri_hook_denied_total{${plugin}}[10m])) > 0`,
          legend: "denied: {{reason}}",
        },
        {
          expr: `sum by (reason) (increase(tetragon_nri_hook_unheld_total{${plugin}}[10m])) > 0`,
          legend: "unheld: {{reason}}",
        },
        {
          expr: `sum by (handler) (increase(tetragon_nri_hook_unhooked_total{${plugin}}[10m])) > 0`,
          legend: "unhooked: {{handler}}",
        },
        {
          expr: `sum(increase(tetragon_nri_hook_late_answers_total{${plugin}}[10m])) > 0`,
          legend: "late answers",
        },
      ],
      { unit: "short" },
    ),
    states(
      { title: "State of the session", description: "Of each plugin's session with its runtime." },
      {
        expr: `max by (instance, state) (tetragon_nri_hook_session_state{${plugin}}) == 1`,
        legend: "{{instance}} {{state}}",
      },
    ),
  ],
};

const processes: Row = {
  title: "Processes",
  panels: [
    graph(
      { title: "CPU", description: "Of each agent and plugin, in processors." },
      [
        {
          expr: `rate(process_cpu_seconds_total{job=~"tetragon|tetragon-nri-hook", instance=~"$instance|$plugin"}[${window}])`,
          legend: "{{job}} {{instance}}",
        },
      ],
      { unit: "short" },
    ),
    graph(
      { title: "Memory", description: "Resident memory of each agent and plugin." },
      [
        {
          expr: `process_resident_memory_bytes{job=~"tetragon|tetragon-nri-hook", instance=~"$instance|$plugin"}`,
          legend: "{{job}} {{instance}}",
        },
      ],
      { unit: "bytes" },
    ),
    graph(
      { title: "File descriptors in use", description: "Of those that each process may have." },
      [
        {
          expr: `process_open_fds{job=~"tetragon|tetragon-nri-hook", instance=~"$instance|$plugin"} / process_max_fds`,
          legend: "{{job}} {{instance}}",
        },
      ],
      { unit: "percentunit", max: 1, limit: 0.9 },
    ),
    graph(
      {
        title: "Clients",
        description:
          "Clients of the inspector, and gRPC connections that were closed because they exceeded a bound.",
      },
      [
        { expr: `sum(tetragon_inspector_clients{${agent}})`, legend: "inspector of agents" },
        { expr: `sum(tetragon_nri_hook_inspector_clients{${plugin}})`, legend: "inspector of plugins" },
        {
          expr: `sum by (reason) (increase(tetragon_grpc_connections_closed_total{${agent}}[10m]))`,
          legend: "closed: {{reason}}",
        },
      ],
      { unit: "short" },
    ),
  ],
};

export const rows: readonly Row[] = [glance, starts, policies, sources, nri, processes];
