// SPDX-License-Identifier: Apache-2.0
// The metrics endpoint, if the flags ask for one.

import type { WatchProgress } from "@rthooks/kube";
import { registerProcessMetrics, serveMetrics } from "@rthooks/metrics";
import { err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { MeteredRule, MeteredState, MeteredWatch } from "../../base/core/agent-state-metrics.ts";
import { countStates } from "../../base/core/count-states.ts";
import type { Enforcement } from "../../enforcement/core/enforcement.ts";
import type { OpenedEnforcement } from "../../enforcement/edge/open-enforcement.ts";
import { toMeteredEvents } from "../../events/core/metered-events.ts";
import type { EventStatistics } from "../../events/core/thread-messages.ts";
import { toPolicyKey } from "../../filter/core/filter-key.ts";
import type { OpenedFilter } from "../../filter/edge/open-policy-filter.ts";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";
import type { AgentOptions } from "./agent-options.ts";

interface HasState {
  readonly state: string;
}

/** What is read at each scrape. */
export interface MeteredParts {
  readonly filter: OpenedFilter;
  readonly enforcement: OpenedEnforcement;
  findServing(): Promise<MeteredState["serving"]>;
  findHealth(): MeteredState["problems"];
  listContainers(): readonly HasState[];
  listPolicies(): readonly PolicyStatus[];
  listWatches(): readonly WatchProgress[];
  countWaiting(): number;
  countInspectorClients(): number;
  eventStatistics(): EventStatistics;
}

/** `parts` closes the endpoint. The error is one line. */
export async function serveAgentMetrics(
  { metricsAddress, log }: AgentOptions,
  metrics: AgentMetrics,
  metered: MeteredParts,
  parts: DisposableStack,
): Promise<Result<void, string>> {
  if (metricsAddress === "") return ok(undefined);
  registerProcessMetrics(metrics.registry);
  const server = await serveMetrics(metricsAddress, log, async () =>
    metrics.render(readState(metered, await metered.findServing())),
  );
  if (!server.ok) return err(`--metrics-server ${server.error}`);
  parts.defer(server.value.close);
  return ok(undefined);
}

function readState(metered: MeteredParts, serving: MeteredState["serving"]): MeteredState {
  const { filter: policyFilter, isInKernel, fill } = metered.filter;
  const { enforcement } = metered;
  const policies = metered.listPolicies();
  return {
    serving,
    isFilterInKernel: isInKernel,
    problems: metered.findHealth(),
    containers: countStates(metered.listContainers()),
    policies: countStates(policies),
    rules: policies.flatMap((policy) => toMeteredRules(policy, enforcement.enforcement)),
    rulesInUse: enforcement.enforcement.rulesInUse(),
    filterEntries: policyFilter.sizes(),
    filters: policyFilter.filterCounts(),
    failedEntries: policyFilter.failedEntries(),
    maps: [...fill(), ...enforcement.fill()],
    mapMemory: enforcement.memory(),
    watches: metered.listWatches().map(toMeteredWatch),
    waitingStarts: metered.countWaiting(),
    inspectorClients: metered.countInspectorClients(),
    events: toMeteredEvents(metered.eventStatistics()),
  };
}

const toMeteredRules = (policy: PolicyStatus, enforcement: Enforcement): readonly MeteredRule[] =>
  enforcement.countsOf(toPolicyKey(policy)).map(({ mechanism, report, counts }) => {
    const { hook, hookIndex, selectorIndex, selectorLabel } = report;
    const { name: policyName, namespace } = policy;
    return { policyName, namespace, hook, hookIndex, selectorIndex, selectorLabel, mechanism, counts };
  });

const toMeteredWatch = ({ what, silenceMs, lists }: WatchProgress): MeteredWatch => ({
  ...{ what, lists },
  silenceSeconds: silenceMs === undefined ? undefined : silenceMs / 1000,
});
