// SPDX-License-Identifier: Apache-2.0
// The overview and the explanations as they were at the moment that a replay has reached.

import type { Explanation, NodeOverview } from "@rthooks/explain";
import type { InspectorFacts } from "./answer-facts.ts";
import type { FactsEntry } from "./recording.ts";

export interface RecordedFacts extends InspectorFacts {
  put(entry: FactsEntry): void;
}

export function createRecordedFacts(): RecordedFacts {
  const explanations = new Map<string, Explanation>();
  let overview: NodeOverview | undefined;
  return {
    explain: (containerId) => explanations.get(containerId),
    overview: () => overview,
    put(entry) {
      if (entry.kind === "overview") overview = entry.overview;
      else explanations.set(entry.explanation.containerId, entry.explanation);
    },
  };
}
