// SPDX-License-Identifier: Apache-2.0
// The agent's overview of its node.

import type {
  ContainerCount,
  DeniedStart,
  EnforcedPolicy,
  NodeOverview,
  RuntimeInterface,
  SourceState,
  StateCount,
  WaitingStart,
} from "@rthooks/explain";
import type { ContainerReport } from "@rthooks/machines/pod";
import { countStates } from "../../base/core/count-states.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { toMs } from "./identity-parts.ts";

export interface OverviewFacts extends Pick<NodeOverview, "atMs" | "node" | "version" | "problems"> {
  /** Calls without an answer, in the order of their arrival. */
  readonly waiting: readonly ContainerReport[];
  /** State of a container's machine; undefined for a container without one. */
  stateOf(containerId: string): string | undefined;
  /** The newest first. */
  readonly denied: { readonly starts: readonly DeniedStart[]; readonly count: number };
  readonly containers: readonly Pick<ContainerRecord, "state" | "source" | "reportedAtNanos">[];
  readonly policies: readonly { readonly state: string }[];
  /** Policies with rules in the kernel. */
  readonly enforced: readonly EnforcedPolicy[];
  readonly sources: readonly SourceState[];
  /** The runtime that answers CRI calls, as an operator knows it; undefined where CRI is off. */
  readonly criRuntime: string | undefined;
}

/** Of a list. The counts beside it have no bound. */
const maxListed = 50;

export function toNodeOverview(facts: OverviewFacts): NodeOverview {
  const { atMs, node, version, problems, waiting, denied, containers, policies, sources } = facts;
  const toWaiting = (report: ContainerReport): WaitingStart => ({
    ...{ containerId: report.containerId, namespace: report.podNamespace, pod: report.podName },
    container: report.containerName,
    sinceMs: toMs(report.seenAtNanos),
    state: facts.stateOf(report.containerId) ?? "",
  });
  return {
    ...{ atMs, node, version, problems, sources },
    held: waiting.slice(0, maxListed).map(toWaiting),
    heldCount: waiting.length,
    denied: denied.starts.slice(0, maxListed),
    deniedCount: denied.count,
    policies: [...countStates(policies)].map(([state, count]): StateCount => ({ state, count })),
    enforced: facts.enforced.toSorted(byMatches).slice(0, maxListed),
    enforcedCount: facts.enforced.length,
    containers: countContainers(containers),
    interfaces: listInterfaces(facts),
  };
}

const byMatches = (one: EnforcedPolicy, other: EnforcedPolicy): number =>
  (other.counts?.matches ?? 0) - (one.counts?.matches ?? 0);

function countContainers(containers: OverviewFacts["containers"]): readonly ContainerCount[] {
  const counts = new Map<string, ContainerCount>();
  for (const { state, source } of containers) {
    const key = `${state} ${source}`;
    counts.set(key, { state, source, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

/** By the source of a container. */
const interfaceNames: Readonly<Record<string, string>> = {
  hook: "OCI hook",
  nri: "NRI plugin",
  synchronize: "NRI plugin",
  cri: "CRI",
  scan: "pod list",
};

function listInterfaces({ containers, criRuntime }: OverviewFacts): readonly RuntimeInterface[] {
  const found = new Map<string, RuntimeInterface>();
  if (criRuntime !== undefined)
    found.set("CRI", { name: "CRI", runtime: criRuntime, containers: 0, lastReportMs: undefined });
  for (const { source, reportedAtNanos } of containers) {
    const name = interfaceNames[source] ?? source;
    const before = found.get(name);
    found.set(name, {
      name,
      runtime: before?.runtime ?? "",
      containers: (before?.containers ?? 0) + 1,
      lastReportMs: Math.max(before?.lastReportMs ?? 0, toMs(reportedAtNanos)),
    });
  }
  return [...found.values()];
}
