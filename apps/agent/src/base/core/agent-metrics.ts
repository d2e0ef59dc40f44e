// SPDX-License-Identifier: Apache-2.0
// The metrics of the agent. A metric that Tetragon has too has Tetragon's name (pkg/metrics).

import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RefusalKind } from "./refusal.ts";

/** Why the server closes a client's connection. */
export type Eviction = "too many connections" | "too many bytes under way";

export interface AgentMetrics {
  /** A RuntimeHook call was answered. */
  observeHook(outcome: "ok" | RefusalKind, seconds: number): void;
  /** The call lacks a field that containerSelector matches on. */
  countMissing(what: "name" | "image"): void;
  /** The pod source reported a change of a pod. */
  countPod(kind: "update" | "delete"): void;
  /** A change of the policy filter's maps. */
  countFilterChange(operation: FilterOperation, succeeded: boolean): void;
  /** An object of the API server exceeded the size limit. */
  countTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
  /** A client's connection was closed because it, or all connections together, exceeded a bound. */
  countEviction(reason: Eviction): void;
  setFilterLimits(limits: Readonly<Record<"node" | "namespace" | "namespaces", number>>): void;
  /** All metrics, for the generated reference. */
  readonly registry: Registry;
  /** In the Prometheus text format. */
  render(state: MeteredState): Promise<string>;
}

export type FilterOperation = "policy-put" | "policy-remove" | "cgroup-add" | "cgroup-remove" | "reverse-put";

/** The state at the time of a scrape. */
interface MeteredState {
  readonly isFilterInKernel: boolean;
  readonly problems: number;
  /** How many containers are in each state of their lifecycle. */
  readonly containers: ReadonlyMap<string, number>;
  /** How many policies are in each state. */
  readonly policies: ReadonlyMap<string, number>;
  /** Cgroups of each policy, by its id in the maps. */
  readonly filterEntries: Iterable<readonly [filterId: number, cgroups: number]>;
  /** Filters of policies and workload selectors, by namespace; "" is the cluster's. */
  readonly filters: Iterable<readonly [namespace: string, filters: number]>;
  /** Entries that could not be written to the maps. */
  readonly failedEntries: Iterable<readonly [filterId: number, cgroups: number]>;
}

export function createAgentMetrics(version: string): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  const named = (name: string, help: string) => ({ name: `tetragon_${name}`, help, registers });
  const requests = new Histogram({
    ...named("rthooks_request_seconds", "Time from a RuntimeHook call to its answer."),
    labelNames: ["outcome"],
    buckets: latencyBuckets,
  });
  const operations = new Counter({
    ...named("policyfilter_operations_total", "Policy filter operations, by subsystem and result."),
    labelNames: ["subsys", "operation", "error"],
  });
  const missing = {
    name: new Counter(
      named("policyfilter_hook_container_name_missing_total", "RuntimeHook calls without a container name."),
    ),
    image: new Counter(
      named(
        "policyfilter_hook_container_image_missing_total",
        "RuntimeHook calls without a container image.",
      ),
    ),
  };
  const changes = new Counter({
    ...named("policyfilter_map_changes_total", "Writes to the policy filter maps, by operation and result."),
    labelNames: ["operation", "outcome"],
  });
  const tooLarge = new Counter({
    ...named("k8s_large_objects_total", "API server objects over the size limit, by kind and outcome."),
    labelNames: ["kind", "outcome"],
  });
  const evictions = new Counter({
    ...named("grpc_connections_closed_total", "Client connections closed because they exceeded a bound."),
    labelNames: ["reason"],
  });
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
  const limits = new Gauge({
    ...named(
      "policyfilter_filters_max",
      "Maximum number of filters: on the node, for one namespace, for all namespaces.",
    ),
    labelNames: ["scope"],
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
  const problems = new Gauge(
    named("health_problems", "Number of problems that GetHealth and `tetragon status` list."),
  );
  const containers = new Gauge({
    ...named("rthooks_containers", "Containers on record, by state."),
    labelNames: ["state"],
  });
  const policies = new Gauge({
    ...named("tracingpolicy_loaded", "Tracing policies, by state."),
    labelNames: ["state"],
  });
  new Gauge({ ...named("build_info", "Always 1."), labelNames: ["version"] }).set({ version }, 1);

  return {
    registry,
    observeHook(outcome, seconds) {
      requests.observe({ outcome }, seconds);
      operations.inc({ subsys: "rthooks", operation: "add-container", error: toErrorLabel(outcome) });
    },
    setFilterLimits: (all) => {
      for (const [scope, limit] of Object.entries(all)) limits.set({ scope }, limit);
    },
    countMissing: (what) => missing[what].inc(),
    countPod: (operation) => operations.inc({ subsys: "pod-handlers", operation, error: "" }),
    countFilterChange: (operation, succeeded) =>
      changes.inc({ operation, outcome: succeeded ? "ok" : "error" }),
    countTooLarge: (kind, outcome) => tooLarge.inc({ kind, outcome }),
    countEviction: (reason) => evictions.inc({ reason }),
    render(state) {
      inKernel.set(state.isFilterInKernel ? 1 : 0);
      problems.set(state.problems);
      setAll(containers, state.containers);
      setAll(policies, state.policies);
      setAll(entries, state.filterEntries);
      setAll(filters, state.filters);
      setAll(failed, state.failedEntries);
      return registry.metrics();
    },
  };
}

/** Sets the gauge by its one label. Labels that are no longer in `values` disappear. */
function setAll(gauge: Gauge<string>, values: Iterable<readonly [string | number, number]>): void {
  gauge.reset();
  for (const [label, value] of values) gauge.labels(String(label)).set(value);
}

const toErrorLabel = (outcome: "ok" | RefusalKind): string => {
  if (outcome === "ok") return "";
  return outcome === "namespace-conflict" ? "pod-namespace-conflict" : "generic-error";
};
