// SPDX-License-Identifier: Apache-2.0
// The explainer over the agent's parts.

import { systemTime } from "../../base/edge/system-time.ts";
import { hasAllLabels } from "../../containers/core/container-effects.ts";
import type { DeniedStarts } from "../../containers/core/denied-starts.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
import type { WaitingStarts } from "../../containers/core/waiting-starts.ts";
import type { ContainerFinder } from "../../containers/edge/container-finder.ts";
import { createExplainer, type Explainer, type ExplanationSources } from "../../explain/core/explainer.ts";
import { followPodTimes } from "../../explain/core/pod-times.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import type { HookInvocations } from "../../hook-log/core/hook-invocations.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { FilterLoader } from "../../policies/core/filter-loader.ts";
import type { PolicyStore } from "../../policies/core/policy-store.ts";

export interface ExplainedParts {
  readonly hookInvocations: HookInvocations;
  readonly lifecycle: Pick<Lifecycle, "findFacts" | "listFacts">;
  readonly finder: Pick<ContainerFinder, "listMissing">;
  readonly waitingStarts: Pick<WaitingStarts, "list">;
  readonly deniedStarts: Pick<DeniedStarts, "list">;
  readonly podSource: PodSource;
  readonly policyFilter: Pick<PolicyFilter, "find">;
  readonly policies: Pick<PolicyStore, "list">;
  readonly filterLoader: Pick<FilterLoader, "policyOf">;
  readonly enforcementOf: ExplanationSources["enforcementOf"];
}

/** Follows the pod source until `parts` ends. */
export function openExplainer(explained: ExplainedParts, parts: DisposableStack): Explainer {
  const { lifecycle, podSource, hookInvocations } = explained;
  const podTimes = followPodTimes(podSource, Date.now);
  parts.defer(podTimes.close);
  return createExplainer({
    ...{ findFacts: lifecycle.findFacts, listFacts: lifecycle.listFacts },
    ...{ hookInvocation: hookInvocations.find, hookInvocations: hookInvocations.list },
    missing: explained.finder.listMissing,
    waiting: explained.waitingStarts.list,
    denied: () => explained.deniedStarts.list(Date.now()).starts,
    findFiltered: explained.policyFilter.find,
    hasAllLabels: ({ pod }) => pod !== undefined && hasAllLabels(pod, podSource),
    policies: () => explained.policies.list(""),
    policyOf: explained.filterLoader.policyOf,
    enforcementOf: explained.enforcementOf,
    findPodTimes: podTimes.find,
    now: systemTime.now,
  });
}
