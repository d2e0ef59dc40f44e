// SPDX-License-Identifier: Apache-2.0
// The metrics of the agent. A metric that Tetragon has too has Tetragon's name (pkg/metrics).

import type { Eviction } from "@rthooks/grpc";
import { latencyBuckets } from "@rthooks/metrics";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { createStateMetrics, type MeteredState } from "./agent-state-metrics.ts";
import { type CallSource, createCallMetrics } from "./call-metrics.ts";
import { createOutputMetrics, type MeteredOutputs } from "./output-metrics.ts";
import type { RefusalKind } from "./refusal.ts";

/** Where a call that waited for its pod got the identity from; `none`: it was refused. */
export type AwaitedIdentity = "pod-source" | "hook" | "none";

type Limits = Readonly<Record<"node" | "namespace" | "namespaces", number>>;

export interface AgentMetrics {
  /** A RuntimeHook call was answered. */
  observeHook(source: CallSource, outcome: "ok" | RefusalKind, seconds: number): void;
  /** A RuntimeHook call waited for its pod. Calls whose pod is known do not. */
  observeIdentityWait(identity: AwaitedIdentity, seconds: number): void;
  /** The call lacks a field that containerSelector matches on. */
  countMissing(what: "name" | "image"): void;
  /** The pod source reported a change of a pod. */
  countPod(kind: "update" | "delete"): void;
  /** The watch on the pods of the API server reported a change. */
  countWatcherEvent(): void;
  /** The API server does not have the pod of a hook call. */
  countPodUnknown(): void;
  /** A change of the policy filter's maps. */
  countFilterChange(operation: FilterOperation, succeeded: boolean): void;
  /** An object of the API server exceeded the size limit. */
  countTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
  /** A client's connection was closed because it, or all connections together, exceeded a bound. */
  countEviction(reason: Eviction): void;
  /** `read` is called at each scrape. Until then there are no events. */
  followOutputs(read: () => MeteredOutputs): void;
  setFilterLimits(limits: Limits): void;
  setRuleLimits(limits: Limits): void;
  /** All metrics, for the generated reference. */
  readonly registry: Registry;
  /** In the Prometheus text format. */
  render(state: MeteredState): Promise<string>;
}

export type FilterOperation = "policy-put" | "policy-remove" | "cgroup-add" | "cgroup-remove" | "reverse-put";

/** The map that each operation changes, and how, with Tetragon's names. `policy_map`: those of the filters, together. */
const changedMap = {
  "policy-put": { map: "policy_filter_maps", change: "update" },
  "policy-remove": { map: "policy_filter_maps", change: "delete" },
  "cgroup-add": { map: "policy_map", change: "update" },
  "cgroup-remove": { map: "policy_map", change: "delete" },
  "reverse-put": { map: "policy_filter_cgroup_maps", change: "update" },
} as const; // const: the changes are a union

export function createAgentMetrics(version: string): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  const named = (name: string, help: string) => ({ name: `tetragon_${name}`, help, registers });
  const operations = new Counter({
    ...named("policyfilter_operations_total", "Policy filter operations, by subsystem and result."),
    labelNames: ["subsys", "operation", "error"],
  });
  const calls = createCallMetrics({ named, operations });
  const identityWaits = new Histogram({
    ...named(
      "rthooks_identity_wait_seconds",
      "Time that RuntimeHook calls waited for their pod, by the source of the identity in the end (none: refused). Calls whose pod is known do not wait and are not counted.",
    ),
    labelNames: ["source"],
    buckets: latencyBuckets,
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
  const watcherEvents = new Counter({
    ...named("watcher_events_total", "Changes of pods that the watch on the API server reported."),
    labelNames: ["watcher"],
  });
  const watcherErrors = new Counter({
    ...named("watcher_errors_total", "RuntimeHook calls for pods that the API server does not have."),
    labelNames: ["watcher", "error"],
  });
  const changes = new Counter({
    ...named("policyfilter_map_changes_total", "Writes to the policy filter maps, by operation and result."),
    labelNames: ["operation", "outcome"],
  });
  const mapErrors = {
    update: new Counter({
      ...named(
        "map_errors_update_total",
        "Failed updates of a BPF map; policy_map: the maps of all filters.",
      ),
      labelNames: ["map"],
    }),
    delete: new Counter({
      ...named(
        "map_errors_delete_total",
        "Failed deletes in a BPF map; policy_map: the maps of all filters.",
      ),
      labelNames: ["map"],
    }),
  };
  const tooLarge = new Counter({
    ...named("k8s_large_objects_total", "API server objects over the size limit, by kind and outcome."),
    labelNames: ["kind", "outcome"],
  });
  const evictions = new Counter({
    ...named("grpc_connections_closed_total", "Client connections closed because they exceeded a bound."),
    labelNames: ["reason"],
  });
  const limits = new Gauge({
    ...named(
      "policyfilter_filters_max",
      "Maximum number of filters: on the node, for one namespace, for all namespaces.",
    ),
    labelNames: ["scope"],
  });
  const ruleLimits = new Gauge({
    ...named(
      "tracingpolicy_rules_max",
      "Maximum number of rules: on the node, for one namespace, for all namespaces.",
    ),
    labelNames: ["scope"],
  });
  const state = createStateMetrics(named);
  const setOutputs = createOutputMetrics(named);
  let readOutputs: (() => MeteredOutputs) | undefined;
  new Gauge({ ...named("build_info", "Always 1."), labelNames: ["version"] }).set({ version }, 1);

  // As alerts compare them with their past: the first error is an increase too.
  for (const { map, change } of Object.values(changedMap)) mapErrors[change].inc({ map }, 0);

  return {
    registry,
    observeHook: calls.observe,
    observeIdentityWait: (source, seconds) => identityWaits.observe({ source }, seconds),
    followOutputs(read) {
      readOutputs = read;
    },
    setFilterLimits: (all) => {
      for (const [scope, limit] of Object.entries(all)) limits.set({ scope }, limit);
    },
    setRuleLimits: (all) => {
      for (const [scope, limit] of Object.entries(all)) ruleLimits.set({ scope }, limit);
    },
    countMissing: (what) => missing[what].inc(),
    countPod: (operation) => operations.inc({ subsys: "pod-handlers", operation, error: "" }),
    countWatcherEvent: () => watcherEvents.inc({ watcher: "k8s" }),
    countPodUnknown: () => watcherErrors.inc({ watcher: "k8s", error: "failed_to_get_pod" }),
    countFilterChange(operation, succeeded) {
      changes.inc({ operation, outcome: succeeded ? "ok" : "error" });
      const { map, change } = changedMap[operation];
      if (!succeeded) mapErrors[change].inc({ map });
    },
    countTooLarge: (kind, outcome) => tooLarge.inc({ kind, outcome }),
    countEviction: (reason) => evictions.inc({ reason }),
    render(found) {
      calls.flush();
      state.set(found);
      if (readOutputs !== undefined) setOutputs(readOutputs());
      return registry.metrics();
    },
  };
}
