// SPDX-License-Identifier: Apache-2.0
// Explanations as messages, and back.

import type {
  ContainerOutcome,
  ContainerQuery,
  Explanation,
  HoldPhase,
  PolicyEnforcement,
  PolicyMatch,
  RuntimeHold,
} from "@rthooks/explain";
import type { ExplainContainerRequest, ExplainContainerResponse } from "@rthooks/proto";

type ExplanationMessage = ExplainContainerResponse["explanations"][number];

export const toExplainRequest = (query: ContainerQuery): ExplainContainerRequest => ({
  container:
    query.kind === "id"
      ? { $case: "id", id: query.id }
      : {
          $case: "name",
          name: { namespace: query.namespace, pod: query.pod, container: query.container ?? "" },
        },
});

/** Undefined for a request that names no container. */
export function toContainerQuery({ container }: ExplainContainerRequest): ContainerQuery | undefined {
  if (container === undefined) return undefined;
  if (container.$case === "id") return { kind: "id", id: container.id };
  const { namespace, pod, container: name } = container.name;
  return { kind: "pod", namespace, pod, container: name === "" ? undefined : name };
}

export const toExplanationMessage = (explanation: Explanation): ExplanationMessage => ({
  ...explanation,
  identity: [...explanation.identity],
  hold: explanation.hold && { ...explanation.hold, phases: [...explanation.hold.phases] },
  policies: explanation.policies.map((policy) => ({
    ...policy,
    selectors: [...policy.selectors],
    enforcement: policy.enforcement && toEnforcementMessage(policy.enforcement),
  })),
});

/** The agent may be of another version: an unknown word becomes a known one. */
export const toExplanation = (message: ExplanationMessage): Explanation => ({
  containerId: message.containerId,
  state: message.state,
  outcome: outcomes.find((known) => known === message.outcome) ?? "running",
  firstReportMs: message.firstReportMs,
  endedMs: message.endedMs,
  identity: message.identity.map(({ part, value, source, reportedMs }) => ({
    ...{ part, value, source, reportedMs },
  })),
  hold: message.hold && toHold(message.hold),
  policies: message.policies.map(toPolicyMatch),
  failure: message.failure,
});

const toHold = (hold: NonNullable<ExplanationMessage["hold"]>): RuntimeHold => ({
  ...hold,
  by: hold.by === "nri" ? "nri" : "hook",
  phases: hold.phases.map((phase) => ({
    ...phase,
    where: places.find((known) => known === phase.where) ?? "agent",
  })),
});

const toPolicyMatch = (policy: ExplanationMessage["policies"][number]): PolicyMatch => ({
  ...policy,
  failing: policy.failing,
  selectors: policy.selectors,
  enforcement: policy.enforcement && toEnforcement(policy.enforcement),
});

type EnforcementMessage = NonNullable<ExplanationMessage["policies"][number]["enforcement"]>;

const toEnforcementMessage = ({ mechanism, counts }: PolicyEnforcement): EnforcementMessage => ({
  mechanism,
  counts: counts && {
    matches: BigInt(counts.matches),
    denials: BigInt(counts.denials),
    signals: BigInt(counts.signals),
    withheld: BigInt(counts.withheld),
  },
});

const toEnforcement = ({ mechanism, counts }: EnforcementMessage): PolicyEnforcement => ({
  mechanism,
  counts: counts && {
    matches: Number(counts.matches),
    denials: Number(counts.denials),
    signals: Number(counts.signals),
    withheld: Number(counts.withheld),
  },
});

const outcomes: readonly ContainerOutcome[] = ["held", "running", "denied", "failed", "ended"];
const places: readonly HoldPhase["where"][] = ["hook", "plugin", "agent", "pod source", "kernel map"];
