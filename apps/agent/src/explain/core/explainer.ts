// SPDX-License-Identifier: Apache-2.0
// Explains the containers of this node: those on record, those that wait for their pod, those that ended or were refused
// lately, and those of which only the hook's log tells.

import type {
  ContainerQuery,
  DeniedStart,
  Explanation,
  HookInvocation,
  QueryProblem,
} from "@rthooks/explain";
import type { ContainerReport } from "@rthooks/machines/pod";
import type { FilteredContainer } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import { type ContainerFacts, toReportFacts } from "../../containers/core/container-facts.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { explainContainer } from "./explain-container.ts";
import { type FoundContainer, findContainers } from "./find-containers.ts";
import { type FindPodTimes, toMs } from "./identity-parts.ts";
import type { PolicyFacts } from "./match-policies.ts";
import { ofDenied, ofInvocation, ofMissing } from "./reported-facts.ts";

export interface ExplanationSources {
  findFacts(containerId: string): ContainerFacts | undefined;
  /** Of the containers on record, then of the ended and refused ones, the newest last. */
  listFacts(): Iterable<ContainerFacts>;
  /** Listed as running, without a cgroup. */
  missing(): readonly ContainerRecord[];
  /** With what the hook or the NRI plugin denied, of which the agent may have no more than this. */
  denied(): readonly DeniedStart[];
  /** Hook calls without an answer. */
  waiting(): readonly ContainerReport[];
  /** The last hold of the container by the hook or the plugin, as its log tells it. */
  hookInvocation(containerId: string): HookInvocation | undefined;
  /** The newest last. */
  hookInvocations(): Iterable<HookInvocation>;
  /** What the policy filter has of the container. */
  findFiltered(containerId: string): FilteredContainer | undefined;
  hasAllLabels(facts: ContainerFacts): boolean;
  policies(): PolicyFacts["policies"];
  readonly policyOf: PolicyFacts["policyOf"];
  readonly enforcementOf: PolicyFacts["enforcementOf"];
  readonly findPodTimes: FindPodTimes;
  /** Milliseconds on the monotonic clock. */
  now(): number;
}

export interface Explainer {
  explain(containerId: string): Explanation | undefined;
  /** At least one. */
  find(query: ContainerQuery): Result<readonly Explanation[], QueryProblem>;
}

export function createExplainer(sources: ExplanationSources): Explainer {
  const findFacts = (containerId: string): ContainerFacts | undefined => {
    const facts = sources.findFacts(containerId);
    if (facts !== undefined && facts.endedMs === undefined) return facts;
    const waiting = sources.waiting().findLast((report) => report.containerId === containerId);
    if (waiting !== undefined) return toReportFacts(waiting);
    if (facts !== undefined) return facts;
    const invocation = sources.hookInvocation(containerId);
    if (invocation !== undefined) return ofInvocation(invocation);
    const missing = sources.missing().find(({ id }) => id === containerId);
    if (missing !== undefined) return ofMissing(missing);
    const denied = sources.denied().find((start) => start.containerId === containerId);
    return denied && ofDenied(denied);
  };

  const explain = (containerId: string): Explanation | undefined => {
    const facts = findFacts(containerId);
    if (facts === undefined) return undefined;
    return explainContainer(facts, {
      policies: sources.policies(),
      policyOf: sources.policyOf,
      enforcementOf: sources.enforcementOf,
      findPodTimes: sources.findPodTimes,
      filtered: sources.findFiltered(containerId) ?? toFiltered(facts, sources.hasAllLabels(facts)),
      invocation: findInvocation(facts, sources.hookInvocation(containerId)),
      nowMs: sources.now(),
    });
  };

  /** By container id; a container of several sources counts once, by the first of them. */
  const listFound = (): readonly FoundContainer[] => {
    const found = new Map<string, FoundContainer>();
    const add = (one: FoundContainer): void => {
      if (!found.has(one.containerId)) found.set(one.containerId, one);
    };
    for (const { report, pod, endedMs } of sources.listFacts()) {
      const namespace = pod?.namespace ?? report.podNamespace;
      const name = pod?.name ?? report.podName;
      add({ ...toFound(report), namespace, pod: name, hasEnded: endedMs !== undefined });
    }
    for (const report of sources.waiting()) add({ ...toFound(report), hasEnded: false });
    for (const { id, name, podName: pod, podNamespace: namespace } of sources.missing())
      add({ ...{ containerId: id, container: name, pod, namespace }, hasEnded: false });
    for (const start of sources.denied()) add({ ...start, hasEnded: true });
    for (const one of sources.hookInvocations()) add({ ...one, hasEnded: true });
    return [...found.values()];
  };

  return {
    explain,
    find(query) {
      const found = findContainers(query, listFound());
      if (!found.ok) return found;
      return ok(found.value.flatMap(({ containerId }) => explain(containerId) ?? []));
    },
  };
}

/** A container that starts again keeps its id in some runtimes: the hook's line about an earlier start does not count. */
function findInvocation(
  { times }: ContainerFacts,
  invocation: HookInvocation | undefined,
): HookInvocation | undefined {
  if (times === undefined || invocation === undefined) return invocation;
  const endedMs = invocation.startedMs + invocation.durationMs;
  return endedMs < toMs(times.report.seenAtNanos) - CLOCK_ERROR_MS ? undefined : invocation;
}

/** Between the hook's clock and the agent's, with a margin. */
const CLOCK_ERROR_MS = 10;

const toFound = ({ containerId, podNamespace, podName, containerName }: ContainerReport) => ({
  ...{ containerId, namespace: podNamespace, pod: podName, container: containerName },
});

const toFiltered = ({ report, pod, cgroup }: ContainerFacts, hasAllLabels: boolean): FilteredContainer => ({
  containerId: report.containerId,
  containerName: report.containerName,
  image: report.image,
  cgroupId: cgroup?.id ?? 0n,
  podUid: pod?.uid ?? report.podUid,
  podName: pod?.name ?? report.podName,
  namespace: pod?.namespace ?? report.podNamespace,
  labels: pod?.labels ?? report.podLabels ?? new Map<string, string>(),
  hasAllLabels,
});
