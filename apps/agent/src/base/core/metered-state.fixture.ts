// SPDX-License-Identifier: Apache-2.0
import type { MeteredState } from "./agent-state-metrics.ts";

/** The state of an agent that has nothing. */
export const emptyState: MeteredState = {
  isFilterInKernel: false,
  problems: [],
  serving: new Map(),
  containers: new Map(),
  policies: new Map(),
  rules: [],
  rulesInUse: 0,
  filterEntries: [],
  filters: [],
  failedEntries: [],
  maps: [],
  mapMemory: [],
  watches: [],
  waitingStarts: 0,
  inspectorClients: 0,
  events: { events: [], received: 0, unreadable: 0, abandoned: 0, lost: [], cached: 0, evicted: 0 },
};
