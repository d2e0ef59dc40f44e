// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";
import type { AgentMetrics, FilterOperation } from "./agent-metrics.ts";
import type { FilterMaps } from "./filter-maps.ts";

/** The same maps, with each change of them counted. */
export function meterFilterMaps(maps: FilterMaps, metrics: AgentMetrics): FilterMaps {
  const count = (operation: FilterOperation, done: Result<void, string>): Result<void, string> => {
    metrics.countFilterChange(operation, done.ok);
    return done;
  };
  return {
    found: maps.found,
    putPolicy: (...words) => count("policy-put", maps.putPolicy(...words)),
    removePolicy: (policyId) => count("policy-remove", maps.removePolicy(policyId)),
    add: (...words) => count("cgroup-add", maps.add(...words)),
    remove: (...words) => count("cgroup-remove", maps.remove(...words)),
    close: () => maps.close(),
  };
}
