// SPDX-License-Identifier: Apache-2.0
// What operators see of the agent: starts that wait or were denied, changes of containers, health, the overview of the node,
// and explanations.

import type { EnforcedPolicy, NodeOverview, PolicyEnforcement } from "@rthooks/explain";
import type { ServerTls } from "@rthooks/grpc";
import { nowNanos } from "@rthooks/log";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import type { HealthProblem } from "../../api/core/health.ts";
import { createPluginProblem, type PluginProblem } from "../../api/core/plugin-problem.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { createDeniedStarts } from "../../containers/core/denied-starts.ts";
import { createShownContainers, type ShownContainers } from "../../containers/core/shown-containers.ts";
import { createStartObserver, type StartObserver } from "../../containers/core/start-observer.ts";
import { createWaitingStarts, type WaitingStarts } from "../../containers/core/waiting-starts.ts";
import type { CriFollower } from "../../containers/edge/follow-cri.ts";
import type { OpenedEnforcement } from "../../enforcement/edge/open-enforcement.ts";
import type { Explainer } from "../../explain/core/explainer.ts";
import { toNodeOverview } from "../../explain/core/node-overview.ts";
import { toPolicyEnforcement } from "../../explain/core/policy-enforcement.ts";
import { createSourceStates } from "../../explain/core/source-states.ts";
import { toPolicyKey } from "../../filter/core/filter-key.ts";
import type { OpenedFilter } from "../../filter/edge/open-policy-filter.ts";
import type { OpenedPods } from "../../pods/edge/open-pods.ts";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";
import type { AgentOptions } from "./agent-options.ts";
import { followHookLog } from "./follow-hook-log.ts";
import { listProblems } from "./list-problems.ts";
import { listSources } from "./list-sources.ts";
import type { AgentInspector } from "./open-agent-inspector.ts";
import type { OpenedContainers } from "./open-containers.ts";
import type { OpenedEvents } from "./open-events.ts";
import { openExplainer } from "./open-explainer.ts";
import type { OpenedPolicies } from "./open-policies.ts";

export interface ObservedParts {
  readonly pods: OpenedPods;
  readonly filter: OpenedFilter;
  readonly enforcement: OpenedEnforcement;
  readonly inspector: AgentInspector;
  readonly containers: OpenedContainers;
  /** Undefined where CRI is not used. */
  readonly cri: CriFollower | undefined;
  readonly policies: OpenedPolicies;
  readonly events: Pick<OpenedEvents, "problems">;
  readonly serverTls: ServerTls | undefined;
  readonly directories: DirectoryWatch;
  /** The limit of open descriptors of the process. */
  readonly descriptors: number;
}

export interface Observation {
  readonly plugin: PluginProblem;
  readonly waitingStarts: WaitingStarts;
  readonly starts: StartObserver;
  readonly shown: ShownContainers;
  readonly explainer: Explainer;
  findHealth(): readonly HealthProblem[];
  /** The containers on record, and running ones whose cgroup is not found. */
  listContainers(): readonly ContainerRecord[];
}

/** `parts` closes what was opened. */
export async function openObservation(
  options: AgentOptions,
  observed: ObservedParts,
  parts: DisposableStack,
): Promise<Observation> {
  const { pods, filter, enforcement, inspector, cri, directories, descriptors } = observed;
  const { lifecycle, finder, cgroupResolver: cgroups } = observed.containers;
  const { policies, policyFiles, keptPolicies, policyWatch, filterLoader } = observed.policies;
  const listContainers = () => [...lifecycle.list(), ...finder.listMissing()];
  const plugin = createPluginProblem(() => performance.now());
  const waitingStarts = createWaitingStarts();
  const deniedStarts = createDeniedStarts();
  const shown = createShownContainers(lifecycle, listContainers, waitingStarts, nowNanos);
  const starts = createStartObserver(waitingStarts, deniedStarts, shown.changes, Date.now);
  const hookLog = await followHookLog(options, directories, inspector.inspect, deniedStarts);
  parts.defer(hookLog.close);

  const shared = { pods, policyFiles, keptPolicies, cri, plugin, hookLog };
  const hasPluginReports = (): boolean =>
    lifecycle.list().some(({ source }) => source === "nri" || source === "synchronize");
  const sourceStates = createSourceStates(
    listSources(options, { ...shared, kubePolicies: policyWatch, hasPluginReports }),
    Date.now,
  );
  const look = setInterval(sourceStates.look, options.sweepIntervalMs);
  parts.defer(() => clearInterval(look));

  const problemSources = {
    ...{ ...shared, filter: { ...filter, isWanted: options.bpfDirectory !== "" } },
    ...{ enforcement, policyWatch, cgroups, directories, containers: finder, descriptors },
    ...{ events: observed.events, serverTls: observed.serverTls },
  };
  const findHealth = (): readonly HealthProblem[] => listProblems(problemSources);
  const enforcementOf = (status: PolicyStatus): PolicyEnforcement | undefined =>
    toPolicyEnforcement(status.heldBy, enforcement.enforcement.countsOf(toPolicyKey(status)));
  const listEnforced = (): readonly EnforcedPolicy[] =>
    policies.list("").flatMap((status) => {
      const { name, namespace, domain, mode } = status;
      const done = enforcementOf(status);
      return done === undefined ? [] : [{ name, namespace, domain, mode, ...done }];
    });
  const explainer = openExplainer(
    {
      ...{ lifecycle, finder, waitingStarts, deniedStarts, policies, filterLoader, enforcementOf },
      ...{ policyFilter: filter.filter, podSource: pods.source, hookInvocations: hookLog.invocations },
    },
    parts,
  );
  const overview = (): NodeOverview =>
    toNodeOverview({
      ...{ atMs: Date.now(), node: options.nodeName, version: options.version },
      ...{ waiting: waitingStarts.list(), stateOf: (id) => lifecycle.find(id)?.state },
      ...{ denied: deniedStarts.list(Date.now()), containers: listContainers() },
      ...{ policies: policies.list(""), enforced: listEnforced(), sources: sourceStates.list() },
      problems: findHealth().map(({ text }) => text),
      criRuntime: cri?.name(),
    });
  inspector.setFacts({ explain: explainer.explain, overview });
  return { plugin, waitingStarts, starts, shown, explainer, findHealth, listContainers };
}
