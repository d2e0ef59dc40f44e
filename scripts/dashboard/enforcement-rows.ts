// SPDX-License-Identifier: Apache-2.0
// What policies do on the nodes, and what becomes of events.
import { graph, type Query, stat } from "./panels.ts";
import { agent, countOf, lastHour, rateBy, rateOf, window } from "./queries.ts";
import type { Row } from "./row.ts";

const actions = (which: string): string =>
  `tetragon_tracingpolicy_selector_actions_total{${agent}, action=~"${which}"}`;

/** Of each policy that had some. */
const actionsByPolicy = (which: string, legend: string): Query => ({
  expr: `sum by (policy_namespace, policy, action) (rate(${actions(which)}[${window}])) > 0`,
  legend,
});

/** Records and events that are missing somewhere. */
const lost = `tetragon_bpf_missed_events_total{${agent}}`;
const unreadable = `tetragon_observer_ringbuf_errors_total{${agent}}`;
const lostInQueue = `tetragon_observer_ringbuf_queue_events_lost_total{${agent}}`;
const notWritten = `tetragon_export_failed_events_total{${agent}}`;

export const glanceAtEnforcement: Row["panels"] = [
  stat(
    {
      title: "Policies with errors",
      description:
        "Policies in the state load_error, of all agents together. What was in force before stays so.",
    },
    `sum(tetragon_tracingpolicy_loaded{${agent}, state="load_error"}) or vector(0)`,
    { alarm: "orange" },
  ),
  stat(
    {
      title: "Agents with enforcement problems",
      description:
        "Agents with a problem of enforcement: the kernel takes no rules, a container does not have its rules, or rules of an ended policy are still in force.",
    },
    countOf(`tetragon_health_problems{${agent}, part="enforcement"} > 0`),
    { alarm: "red" },
  ),
  stat(
    {
      title: "Denied or signalled, last hour",
      description: "Calls that policies denied, and processes that they sent a signal.",
    },
    `${lastHour(actions("override|signal"))} or vector(0)`,
  ),
  stat(
    {
      title: "Withheld, last hour",
      description: "What policies in monitor mode would have denied or signalled.",
    },
    `${lastHour(actions("monitor_.*"))} or vector(0)`,
  ),
  stat(
    {
      title: "Records lost, last hour",
      description:
        "Records that the programs in the kernel could not write, that the agent could not read, or that were lost when its thread of events ended.",
    },
    [lost, unreadable, lostInQueue].map((series) => `(${lastHour(series)} or vector(0))`).join(" + "),
    { alarm: "orange" },
  ),
  stat(
    {
      title: "Export errors, last hour",
      description: "Events that could not be written to the export file.",
    },
    `${lastHour(notWritten)} or vector(0)`,
    { alarm: "orange" },
  ),
];

export const enforcement: Row = {
  title: "Enforcement",
  panels: [
    graph(
      {
        title: "Rules in force",
        description: "Rules (selectors of policies) of all agents together, by what holds them.",
      },
      [{ expr: `sum by (mechanism) (tetragon_tracingpolicy_rules{${agent}})`, legend: "{{mechanism}}" }],
      { unit: "short", isStacked: true },
    ),
    graph(
      {
        title: "Denied and signalled",
        description: "By policy. `override`: the call was denied. `signal`: the process was sent a signal.",
      },
      [actionsByPolicy("override|signal", "{{action}} {{policy_namespace}}/{{policy}}")],
      { unit: "ops" },
    ),
    graph(
      {
        title: "Posted and withheld",
        description:
          "By policy. `post`: a match was reported as an event. `monitor_override`, `monitor_signal`: the policy is in monitor mode, and nothing was done.",
      },
      [actionsByPolicy("post|monitor_.*", "{{action}} {{policy_namespace}}/{{policy}}")],
      { unit: "ops" },
    ),
    graph(
      {
        title: "Room for rules",
        description:
          "On the node with least room. `rules`: numbers of rules that are taken. The others are maps of the rules.",
      },
      [
        {
          expr: `max(tetragon_tracingpolicy_rules_in_use{${agent}} / ignoring (scope) tetragon_tracingpolicy_rules_max{${agent}, scope="node"})`,
          legend: "rules",
        },
        {
          expr: `max by (map) (tetragon_map_entries{${agent}, map!~"policy_.*"} / tetragon_map_capacity)`,
          legend: "{{map}}",
        },
      ],
      { unit: "percentunit", max: 1, limit: 0.9 },
    ),
  ],
};

export const events: Row = {
  title: "Events",
  panels: [
    graph(
      { title: "Events", description: "Events that the agents made of records of the kernel, by type." },
      [rateBy("type", `tetragon_events_total{${agent}}`)],
      { unit: "ops", isStacked: true },
    ),
    graph(
      {
        title: "Lost records",
        description:
          "Records that the ring buffer had no room for, by kind. `unreadable`: those that the agent could not read. `read, not sent on`: the thread of events ended with them.",
      },
      [rateBy("msg_op", lost), rateOf("unreadable", unreadable), rateOf("read, not sent on", lostInQueue)],
      { unit: "ops" },
    ),
    graph(
      {
        title: "Events that went out",
        description:
          "`clients`: sent to clients of GetEvents, counted for each. `export`: written to the export file.",
      },
      [
        rateOf("clients", `tetragon_events_sent_total{${agent}}`),
        rateOf("export", `tetragon_events_exported_total{${agent}}`),
      ],
      { unit: "ops" },
    ),
    graph(
      {
        title: "Events that did not go out",
        description:
          "`slow clients`: clients of GetEvents that did not read in time. `export, rate limit`: beyond --export-rate-limit. `export, not written`: the file could not be written.",
      },
      [
        rateOf("slow clients", `tetragon_notify_overflowed_events_total{${agent}}`),
        rateOf("export, rate limit", `tetragon_export_ratelimit_events_dropped_total{${agent}}`),
        rateOf("export, not written", notWritten),
      ],
      { unit: "ops" },
    ),
  ],
};
