// SPDX-License-Identifier: Apache-2.0
// The metrics that are read from the agent's state at each scrape. Their labels are from fixed sets, or are bounded by the
// number of filters (127) or of rules (256).

import { Counter, Gauge, type Registry } from "prom-client";
import { type HealthPart, healthParts } from "./health-part.ts";

/** The state at the time of a scrape. */
export interface MeteredState {
  readonly isFilterInKernel: boolean;
  /** Where the problems that GetHealth lists come from. */
  readonly problems: readonly { readonly part: HealthPart }[];
  /** Whether the services of the health service serve, by their names. */
  readonly serving: ReadonlyMap<string, boolean>;
  /** How many containers are in each state of their lifecycle. */
  readonly containers: ReadonlyMap<string, number>;
  /** How many policies are in each state. */
  readonly policies: ReadonlyMap<string, number>;
  /** The rules of policies that are in force in the kernel. */
  readonly rules: readonly MeteredRule[];
  /** Numbers of rules that are taken, also by rules of an earlier agent. */
  readonly rulesInUse: number;
  /** Cgroups of each policy, by its id in the maps. */
  readonly filterEntries: Iterable<readonly [filterId: number, cgroups: number]>;
  /** Filters of policies and workload selectors, by namespace; "" is the cluster's. */
  readonly filters: Iterable<readonly [namespace: string, filters: number]>;
  /** Entries that could not be written to the maps. */
  readonly failedEntries: Iterable<readonly [filterId: number, cgroups: number]>;
  /** Empty where the filter is in memory. */
  readonly maps: readonly MapFill[];
  /** What the maps of rules, which policies share, take in the kernel, in bytes, by name. */
  readonly mapMemory: Iterable<readonly [map: string, bytes: number]>;
  readonly watches: readonly MeteredWatch[];
  /** How many runtimes wait for an answer. */
  readonly waitingStarts: number;
  readonly inspectorClients: number;
  readonly events: MeteredEvents;
}

/** Records of the programs in the kernel about processes, and the events that the agent makes of them. */
export interface MeteredEvents {
  /** Events by type: "PROCESS_EXEC". */
  readonly events: Iterable<readonly [type: string, count: number]>;
  /** Records that were read from the ring buffer. */
  readonly received: number;
  /** Of them: those that are not what the programs of this version write. */
  readonly unreadable: number;
  /** Records that were read and did not become events, for whatever reason. */
  readonly abandoned: number;
  /** Records for which the ring buffer had no room, by the name of their kind. */
  readonly lost: Iterable<readonly [kind: string, count: number]>;
  /** Processes in the cache now, and those that were removed to make room. */
  readonly cached: number;
  readonly evicted: number;
}

/** One selector of a policy. */
export interface MeteredRule {
  readonly policyName: string;
  readonly namespace: string;
  readonly hook: string;
  readonly hookIndex: number;
  readonly selectorIndex: number;
  readonly selectorLabel: string;
  readonly mechanism: string;
  /** Undefined where they cannot be read. */
  readonly counts:
    | Readonly<
        Record<"post" | "signal" | "monitorSignal" | "override" | "monitorOverride" | "nopost", bigint>
      >
    | undefined;
}

/** How full a BPF map is. */
export interface MapFill {
  /** The map's name, of a fixed set; `policy_map` stands for the fullest of the filters' maps. */
  readonly map: string;
  readonly entries: number;
  readonly capacity: number;
}

/** A watch on the API server. */
export interface MeteredWatch {
  /** Plural name of its objects. */
  readonly what: string;
  /** Seconds since its last event or bookmark; undefined before the first. */
  readonly silenceSeconds: number | undefined;
  /** How many complete lists it has received. */
  readonly lists: number;
}

interface StateMetrics {
  set(state: MeteredState): void;
}

const policyStates = ["enabled", "disabled", "load_error", "skipped", "loading"];

export function createStateMetrics(
  named: (
    name: string,
    help: string,
  ) => { readonly name: string; readonly help: string; registers: Registry[] },
): StateMetrics {
  const entries = new Gauge({
    ...named(
      "policyfilter_map_entries",
      "Cgroups in each filter, by filter id; 1 is the filter of all pods.",
    ),
    labelNames: ["policy_id"],
  });
  const filters = new Gauge({
    ...named(
      "policyfilter_filters",
      "Filters of policies and workload selectors, by namespace; empty for cluster-wide policies.",
    ),
    labelNames: ["namespace"],
  });
  const failed = new Gauge({
    ...named(
      "policyfilter_map_entries_failed",
      "Cgroups that could not be written to a filter, by filter id.",
    ),
    labelNames: ["policy_id"],
  });
  const inKernel = new Gauge(
    named("policyfilter_in_kernel", "1 if the policy filter is in BPF maps, 0 if it is in memory only."),
  );
  const mapEntries = new Gauge({
    ...named(
      "map_entries",
      "Entries of a BPF map; policy_map: those of the filter that has most. Absent while the filter is in memory.",
    ),
    labelNames: ["map"],
  });
  const mapCapacity = new Gauge({
    ...named("map_capacity", "Entries that a BPF map can have; policy_map: the map of one filter."),
    labelNames: ["map"],
  });
  const mapMemory = new Gauge({
    ...named(
      "map_memory_bytes",
      "Memory in the kernel of a map of the rules, which all policies share, as /proc/PID/fdinfo has it.",
    ),
    labelNames: ["map"],
  });
  const problems = new Gauge({
    ...named(
      "health_problems",
      "Problems that GetHealth and `tetragon status` list, by the part of the agent that has them.",
    ),
    labelNames: ["part"],
  });
  const serving = new Gauge({
    ...named(
      "health_serving",
      "1 if this service of the health service is SERVING (liveness, readiness), also without --health-server-address.",
    ),
    labelNames: ["service"],
  });
  const containers = new Gauge({
    ...named("rthooks_containers", "Containers on record, by state."),
    labelNames: ["state"],
  });
  const waitingStarts = new Gauge(
    named("rthooks_waiting_starts", "Containers whose runtime waits for an answer of the agent now."),
  );
  const policies = new Gauge({
    ...named("tracingpolicy_loaded", "Tracing policies, by state."),
    labelNames: ["state"],
  });
  const held = new Gauge({
    ...named("tracingpolicy_rules", "Rules (selectors of policies) in force, by what holds them."),
    labelNames: ["mechanism"],
  });
  const rulesInUse = new Gauge(
    named("tracingpolicy_rules_in_use", "Numbers of rules that are taken, of tracingpolicy_rules_max."),
  );
  const actions = new Counter({
    ...named(
      "tracingpolicy_selector_actions_total",
      "Actions of the selectors of policies; monitor_*: what they would have done.",
    ),
    labelNames: [
      ...["action", "hook", "hook_index", "policy", "policy_namespace"],
      ...["selector_index", "selector_label"],
    ],
  });
  const silence = new Gauge({
    ...named(
      "k8s_watch_silence_seconds",
      "Time since the last event or bookmark of a watch on the API server, which sends a bookmark about once a minute.",
    ),
    labelNames: ["watch"],
  });
  const lists = new Counter({
    ...named("k8s_watch_lists_total", "Complete lists of its objects that a watch has received."),
    labelNames: ["watch"],
  });
  const inspectorClients = new Gauge(
    named("inspector_clients", "Clients that are connected to the inspector (--inspect-address)."),
  );
  const events = new Counter({
    ...named("events_total", "Events of processes, by type."),
    labelNames: ["type"],
  });
  const received = new Counter(
    named("observer_ringbuf_events_received_total", "Records that were read from the ring buffer."),
  );
  const unreadable = new Counter(
    named(
      "observer_ringbuf_errors_total",
      "Records in the ring buffer that could not be read, such as those of programs of another version.",
    ),
  );
  const abandoned = new Counter(
    named(
      "observer_ringbuf_queue_events_lost_total",
      "Records that were read and did not become events: an error ended their thread, or their rules are not known any more.",
    ),
  );
  const lost = new Counter({
    ...named(
      "bpf_missed_events_total",
      "Records that the programs in the kernel could not write, since the ring buffer was full, by kind.",
    ),
    labelNames: ["msg_op", "error"],
  });
  const cached = new Gauge(named("process_cache_size", "Processes in the cache of the events."));
  const evicted = new Counter(
    named("process_cache_evictions_total", "Processes that were removed from the full cache of the events."),
  );

  const setEvents = (now: MeteredEvents): void => {
    for (const counter of [events, received, unreadable, abandoned, lost, evicted]) counter.reset();
    for (const [type, count] of now.events) events.inc({ type }, count);
    received.inc(now.received);
    unreadable.inc(now.unreadable);
    abandoned.inc(now.abandoned);
    // EAGAIN is what bpf_ringbuf_output() returns then.
    for (const [kind, count] of now.lost) lost.inc({ msg_op: kind, error: "EAGAIN" }, count);
    cached.set(now.cached);
    evicted.inc(now.evicted);
  };

  return {
    set(state) {
      setEvents(state.events);
      inKernel.set(state.isFilterInKernel ? 1 : 0);
      waitingStarts.set(state.waitingStarts);
      inspectorClients.set(state.inspectorClients);
      setAll(problems, countParts(state.problems));
      for (const [service, isServing] of state.serving)
        if (service !== "") serving.set({ service }, isServing ? 1 : 0);
      setAll(containers, state.containers);
      setAll(policies, [...policyStates.map((name) => [name, 0] as const), ...state.policies]);
      setAll(held, countMechanisms(state.rules));
      rulesInUse.set(state.rulesInUse);
      actions.reset();
      for (const rule of state.rules) setActions(actions, rule);
      setAll(entries, state.filterEntries);
      setAll(filters, state.filters);
      setAll(failed, state.failedEntries);
      setAll(
        mapEntries,
        state.maps.map(({ map, entries: count }) => [map, count]),
      );
      setAll(
        mapCapacity,
        state.maps.map(({ map, capacity }) => [map, capacity]),
      );
      setAll(mapMemory, state.mapMemory);
      setAll(
        silence,
        state.watches.flatMap(({ what, silenceSeconds }) =>
          silenceSeconds === undefined ? [] : [[what, silenceSeconds] as const],
        ),
      );
      lists.reset();
      for (const { what, lists: count } of state.watches) lists.inc({ watch: what }, count);
    },
  };
}

/** Sets the gauge by its one label. Labels that are no longer in `values` disappear. */
function setAll(gauge: Gauge<string>, values: Iterable<readonly [string | number, number]>): void {
  gauge.reset();
  for (const [label, value] of values) gauge.labels(String(label)).set(value);
}

function countParts(problems: MeteredState["problems"]): ReadonlyMap<HealthPart, number> {
  const counts = new Map<HealthPart, number>(healthParts.map((part) => [part, 0]));
  for (const { part } of problems) counts.set(part, (counts.get(part) ?? 0) + 1);
  return counts;
}

function countMechanisms(rules: MeteredState["rules"]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { mechanism } of rules) counts.set(mechanism, (counts.get(mechanism) ?? 0) + 1);
  return counts;
}

const actionNames = {
  ...{ post: "post", signal: "signal", monitorSignal: "monitor_signal" },
  ...{ override: "override", monitorOverride: "monitor_override", nopost: "nopost" },
} as const; // const: each count keeps its name

/** A policy's author writes it. */
const LABEL_CHARACTERS = 128;

function setActions(actions: Counter<string>, rule: MeteredRule): void {
  const { counts } = rule;
  if (counts === undefined) return;
  const labels = {
    ...{ hook: rule.hook, hook_index: rule.hookIndex, policy: rule.policyName },
    ...{ policy_namespace: rule.namespace, selector_index: rule.selectorIndex },
    selector_label: rule.selectorLabel.slice(0, LABEL_CHARACTERS),
  };
  for (const [count, action] of Object.entries(actionNames))
    actions.inc({ ...labels, action }, Number(counts[count as keyof typeof actionNames])); // as: its own keys
}
