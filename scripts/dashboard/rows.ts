// SPDX-License-Identifier: Apache-2.0
// What the dashboard shows, row by row.

import { enforcement, events, glanceAtEnforcement } from "./enforcement-rows.ts";
import { graph, type Query, stat, states } from "./panels.ts";
import { agent, countOf, lastHour, plugin, rateBy, rateOf, window } from "./queries.ts";
import type { Row } from "./row.ts";

const quantiles = (histogram: string, selector: string): readonly Query[] =>
  (
    [
      [0.5, "median"],
      [0.95, "95th percentile"],
      [0.99, "99th percentile"],
    ] as const
  ).map(([quantile, legend]) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(${histogram}_bucket{${selector}}[${window}])))`,
    legend,
  }));

const refusedBy = (sources: string): string =>
  `tetragon_rthooks_requests_total{${agent}, source=~"${sources}", outcome="refused"}`;

const glance: Row = {
  title: "At a glance",
  panels: [
    stat(
      {
        title: "Agents down or not ready",
        description:
          "Agents that cannot be scraped, that refuse containers, or that release them without the policies that select them.",
      },
      countOf(
        `up{job="tetragon", ${agent}} == 0 or tetragon_health_serving{${agent}, service="readiness"} == 0`,
      ),
      { alarm: "red" },
    ),
    stat(
      {
        title: "Plugins down or not called",
        description:
          "NRI plugins that cannot be scraped, or that the runtime does not call: containers start unheld.",
      },
      countOf(`up{job="tetragon-nri-hook", ${plugin}} == 0 or tetragon_nri_hook_serving{${plugin}} == 0`),
      { alarm: "red" },
    ),
    stat(
      {
        title: "Starts denied, last hour",
        description: "Calls of the OCI hook that agents refused, and containers that NRI plugins denied.",
      },
      `(${lastHour(refusedBy("hook"))} or vector(0)) + (${lastHour(`tetragon_nri_hook_denied_total{${plugin}}`)} or vector(0))`,
      { alarm: "orange" },
    ),
    stat(
      {
        title: "Starts unheld, last hour",
        description: "Containers that started although no agent had released them.",
      },
      `${lastHour(`tetragon_nri_hook_unheld_total{${plugin}}`)} or vector(0)`,
      { alarm: "orange" },
    ),
    stat(
      {
        title: "Health problems",
        description: "Problems that `tetragon status` lists, of all agents together.",
      },
      `sum(tetragon_health_problems{${agent}}) or vector(0)`,
      { alarm: "orange" },
    ),
    stat(
      { title: "Starts that wait now", description: "Containers whose runtime waits for an agent's answer." },
      `sum(tetragon_rthooks_waiting_starts{${agent}}) or vector(0)`,
    ),
    ...glanceAtEnforcement,
  ],
};

const starts: Row = {
  title: "Container starts",
  panels: [
    graph(
      {
        title: "Hook calls",
        description:
          "Calls that agents answered. `hook`: the OCI hook, `nri`: the NRI plugin, `synchronize`: the plugin's reports of containers that run already.",
      },
      [rateBy("source", `tetragon_rthooks_requests_total{${agent}}`)],
      { unit: "reqps", isStacked: true },
    ),
    graph(
      {
        title: "Refused hook calls",
        description: "By kind of error. docs/troubleshooting.md says what each means.",
      },
      [rateBy("error", refusedBy("hook|nri"))],
      { unit: "reqps", isStacked: true },
    ),
    graph(
      {
        title: "Time the runtime was held by the agent",
        description: "From a hook call to the agent's answer, where a runtime waits for it.",
      },
      quantiles("tetragon_rthooks_held_seconds", agent),
      { unit: "s" },
    ),
    graph(
      {
        title: "Wait for the pod's identity",
        description:
          "95th percentile, for calls whose pod was not known yet, by where the identity came from. `none`: the call was refused.",
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
      { title: "Containers on record", description: "Containers of all agents together, by state." },
      [{ expr: `sum by (state) (tetragon_rthooks_containers{${agent}})`, legend: "{{state}}" }],
      { unit: "short", isStacked: true },
    ),
    graph(
      { title: "Tracing policies", description: "Policies of all agents together, by state." },
      [{ expr: `sum by (state) (tetragon_tracingpolicy_loaded{${agent}})`, legend: "{{state}}" }],
      { unit: "short", isStacked: true },
    ),
    graph(
      {
        title: "Room in the policy filter",
        description:
          "On the node where the map is fullest. `policy_map`: the map of the filter that has most cgroups.",
      },
      [
        {
          expr: `max by (map) (tetragon_map_entries{${agent}, map=~"policy_.*"} / tetragon_map_capacity)`,
          legend: "{{map}}",
        },
      ],
      { unit: "percentunit", max: 1, limit: 0.9 },
    ),
    graph(
      {
        title: "Failed writes to the BPF maps",
        description: "Updates and deletes; the agent tries them again.",
      },
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
        title: "Complete lists from the API server",
        description:
          "How often watches read all their objects within an hour: at their start, and when they cannot continue.",
      },
      [
        {
          expr: `sum by (watch) (increase(tetragon_k8s_watch_lists_total{${agent}}[1h]))`,
          legend: "{{watch}}",
        },
      ],
      { unit: "short", decimals: 0 },
    ),
    graph(
      {
        title: "Changes of pods, and unknown pods",
        description:
          "Pods that the pod source changed or removed. `pod unknown`: hook calls for pods that the API server does not have.",
      },
      [
        rateBy("operation", `tetragon_policyfilter_operations_total{${agent}, subsys="pod-handlers"}`),
        rateOf("pod unknown", `tetragon_watcher_errors_total{${agent}}`),
      ],
      { unit: "ops" },
    ),
    graph(
      {
        title: "Health problems",
        description: "Problems that `tetragon status` lists, by the part of the agent that has them.",
      },
      [{ expr: `sum by (part) (tetragon_health_problems{${agent}}) > 0`, legend: "{{part}}" }],
      { unit: "short", isStacked: true },
    ),
  ],
};

const nri: Row = {
  title: "NRI plugin",
  panels: [
    graph(
      { title: "Events of the runtime", description: "NRI events that plugins answered, by event." },
      [rateBy("event", `tetragon_nri_hook_event_seconds_count{${plugin}}`)],
      { unit: "ops", isStacked: true },
    ),
    graph(
      {
        title: "Time the runtime was held by the plugin",
        description: "At StartContainer, while the plugin waited for the agent's answer.",
      },
      quantiles("tetragon_nri_hook_held_seconds", plugin),
      { unit: "s" },
    ),
    graph(
      {
        title: "Containers denied or unheld",
        description:
          "Within ten minutes, by reason. `unhooked`: the runtime did not run the hook that the plugin had added, by runtime handler. `late answers`: the runtime no longer waited for them.",
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
      { unit: "short", decimals: 0 },
    ),
    states(
      {
        title: "State of the session",
        description: "Blue while the session of a plugin with its runtime is in this state.",
      },
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
      { title: "CPU", description: "Processors that each agent and plugin uses: 1 is one whole processor." },
      [
        {
          expr: `rate(process_cpu_seconds_total{job=~"tetragon|tetragon-nri-hook", instance=~"$instance|$plugin"}[${window}])`,
          legend: "{{job}} {{instance}}",
        },
      ],
      { unit: "short" },
    ),
    graph(
      { title: "Memory", description: "Memory that each agent and plugin has in use (resident)." },
      [
        {
          expr: `process_resident_memory_bytes{job=~"tetragon|tetragon-nri-hook", instance=~"$instance|$plugin"}`,
          legend: "{{job}} {{instance}}",
        },
      ],
      { unit: "bytes" },
    ),
    graph(
      { title: "File descriptors in use", description: "Share of those that the process may have open." },
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
        title: "Inspector clients, and closed connections",
        description:
          "Clients of the inspectors now, and gRPC connections that agents closed within ten minutes, by the bound that they exceeded.",
      },
      [
        { expr: `sum(tetragon_inspector_clients{${agent}})`, legend: "clients: agents" },
        { expr: `sum(tetragon_nri_hook_inspector_clients{${plugin}})`, legend: "clients: plugins" },
        {
          expr: `sum by (reason) (increase(tetragon_grpc_connections_closed_total{${agent}}[10m]))`,
          legend: "closed: {{reason}}",
        },
      ],
      { unit: "short", decimals: 0 },
    ),
  ],
};

export const rows: readonly Row[] = [glance, starts, policies, enforcement, events, sources, nri, processes];
