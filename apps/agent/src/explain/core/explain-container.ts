// SPDX-License-Identifier: Apache-2.0

import {
  type ContainerOutcome,
  describeFailure,
  type Explanation,
  type FailureAdvice,
  type HookInvocation,
} from "@rthooks/explain";
import { runsAlready } from "@rthooks/machines/pod";
import type { FilteredContainer } from "@rthooks/policy";
import type { ContainerFacts } from "../../containers/core/container-facts.ts";
import { type FindPodTimes, listIdentity, toMs } from "./identity-parts.ts";
import { matchPolicies, type PolicyFacts } from "./match-policies.ts";
import { toRuntimeHold } from "./runtime-hold.ts";

export interface ContainerSources extends PolicyFacts {
  readonly findPodTimes: FindPodTimes;
  /** What the filters match on. */
  readonly filtered: FilteredContainer;
  /** Of the hook or the plugin that held it; undefined where none is known. */
  readonly invocation: HookInvocation | undefined;
  /** On the monotonic clock. */
  readonly nowMs: number;
}

export function explainContainer(facts: ContainerFacts, sources: ContainerSources): Explanation {
  const { report, state, reportedAtNanos, times } = facts;
  const { invocation } = sources;
  const outcome = findOutcome(facts, invocation);
  const hold = toRuntimeHold(times, invocation, sources.nowMs);
  const isOver = outcome === "denied" || outcome === "failed" || outcome === "ended";
  return {
    ...{ containerId: report.containerId, state, outcome, hold },
    firstReportMs: toMs(reportedAtNanos),
    endedMs: facts.endedMs ?? (isOver && hold !== undefined ? hold.startedMs + hold.durationMs : undefined),
    identity: listIdentity(facts, sources.findPodTimes),
    policies: matchPolicies(sources.filtered, sources),
    failure: findFailure(facts, invocation),
  };
}

/** The program that held the container decides: the fail check may allow what the agent refused. */
function findOutcome(
  { report, state, failure, endedMs }: ContainerFacts,
  invocation: HookInvocation | undefined,
): ContainerOutcome {
  if (invocation?.outcome === "denied" || failure?.kind === "plugin") return "denied";
  if (failure !== undefined && state !== "verifying") return "failed";
  if (endedMs !== undefined) return "ended";
  if (state === "released" || state === "verifying" || runsAlready(report)) return "running";
  return "held";
}

/** The agent's reason is more exact than that of a program that got an error from it. */
function findFailure(
  { failure }: ContainerFacts,
  invocation: HookInvocation | undefined,
): FailureAdvice | undefined {
  const found = failure ?? invocation?.failure;
  return found && describeFailure(found.kind, found.message);
}
