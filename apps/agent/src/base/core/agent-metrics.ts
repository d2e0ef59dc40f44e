// SPDX-License-Identifier: Apache-2.0
// What the agent counts. Where Tetragon has a figure of the same meaning it has Tetragon's name (pkg/metrics).

import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RefusalKind } from "./refusal.ts";

/** Why the server closes a client's connection. */
export type Eviction = "too many connections" | "too many bytes under way";

export interface AgentMetrics {
  /** A RuntimeHook call was answered. */
  observeHook(outcome: "ok" | RefusalKind, seconds: number): void;
  /** The call lacks what containerSelector would look at. */
  countMissing(what: "name" | "image"): void;
  /** The pod source has told of a pod. */
  countPod(kind: "update" | "delete"): void;
  /** A change of the policy filter's maps. */
  countFilterChange(operation: FilterOperation, succeeded: boolean): void;
  /** An object of the API server was too large to be read whole. */
  countTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
  /** A client's connection was closed, since it or all together would have been over a bound. */
  countEviction(reason: Eviction): void;
  setFilterLimits(limits: Readonly<Record<"node" | "namespace" | "namespaces", number>>): void;
  /** All of them, for the reference. */
  readonly registry: Registry;
  /** In Prometheus' text form. */
  render(state: MeteredState): Promise<string>;
}

export type FilterOperation = "policy-put" | "policy-remove" | "cgroup-add" | "cgroup-remove" | "reverse-put";

/** How things stand when somebody asks. */
interface MeteredState {
  readonly isFilterInKernel: boolean;
  readonly problems: number;
  /** How many containers are in each state of their lifecycle. */
  readonly containers: ReadonlyMap<string, number>;
  /** How many policies are in each state. */
  readonly policies: ReadonlyMap<string, number>;
  /** Cgroups of each policy, by its id in the maps. */
  readonly filterEntries: Iterable<readonly [policyId: number, cgroups: number]>;
  /** Filters of policies and workload selectors, by namespace; "" is the cluster's. */
  readonly filters: Iterable<readonly [namespace: string, filters: number]>;
  /** Those of them that the maps do not have as they should. */
  readonly failedEntries: Iterable<readonly [policyId: number, cgroups: number]>;
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
    ...named("policyfilter_operations_total", "What came to the policy filter."),
    labelNames: ["subsys", "operation", "error"],
  });
  const missing = {
    name: new Counter(
      named(
        "policyfilter_hook_container_name_missing_total",
        "RuntimeHook calls without the container's name.",
      ),
    ),
    image: new Counter(
      named(
        "policyfilter_hook_container_image_missing_total",
        "RuntimeHook calls without the container's image.",
      ),
    ),
  };
  const changes = new Counter({
    ...named("policyfilter_map_changes_total", "Changes of the policy filter's maps."),
    labelNames: ["operation", "outcome"],
  });
  const tooLarge = new Counter({
    ...named("k8s_large_objects_total", "Objects of the API server that were too large to be read whole."),
    labelNames: ["kind", "outcome"],
  });
  const evictions = new Counter({
    ...named("grpc_connections_closed_total", "Client connections that were closed because of a bound."),
    labelNames: ["reason"],
  });
  const entries = new Gauge({
    ...named("policyfilter_map_entries", "Cgroups of each policy, by its id; 1 is that of all pods."),
    labelNames: ["policy_id"],
  });
  const filters = new Gauge({
    ...named(
      "policyfilter_filters",
      "Filters of policies and of workload selectors; namespace is empty for the cluster's.",
    ),
    labelNames: ["namespace"],
  });
  const limits = new Gauge({
    ...named(
      "policyfilter_filters_max",
      "How many filters there may be in all, for one namespace, for all namespaces.",
    ),
    labelNames: ["scope"],
  });
  const failed = new Gauge({
    ...named(
      "policyfilter_map_entries_failed",
      "Cgroups that are not in the policy's map as they should be.",
    ),
    labelNames: ["policy_id"],
  });
  const inKernel = new Gauge(
    named(
      "policyfilter_in_kernel",
      "1 where the kernel has the policy filter, 0 where it is in memory only.",
    ),
  );
  const problems = new Gauge(
    named("health_problems", "What is wrong, as GetHealth and `tetragon status` tell it."),
  );
  const containers = new Gauge({
    ...named("rthooks_containers", "Containers on record."),
    labelNames: ["state"],
  });
  const policies = new Gauge({
    ...named("tracingpolicy_loaded", "Tracing policies, by their state."),
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

/** By the gauge's one label; those of before that are gone are not shown any more. */
function setAll(gauge: Gauge<string>, values: Iterable<readonly [string | number, number]>): void {
  gauge.reset();
  for (const [label, value] of values) gauge.labels(String(label)).set(value);
}

const toErrorLabel = (outcome: "ok" | RefusalKind): string => {
  if (outcome === "ok") return "";
  return outcome === "namespace-conflict" ? "pod-namespace-conflict" : "generic-error";
};
