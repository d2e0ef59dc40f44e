// SPDX-License-Identifier: Apache-2.0

import { type Bpf, openBpf } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../core/agent-metrics.ts";
import { type FilterMaps, noFilterMaps } from "../core/filter-maps.ts";
import { createMapPolicyFilter, type MapPolicyFilter } from "../core/map-policy-filter.ts";
import { meterFilterMaps } from "../core/metered-filter-maps.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";

interface OpenedFilter {
  readonly filter: MapPolicyFilter;
  /** Why the kernel does not have it although that was wanted. */
  readonly problem: string | undefined;
  /** What is pinned stays in force. */
  close(): void;
}

/** In the kernel's maps if that is wanted and possible, else in memory, where nobody enforces anything. */
export function openPolicyFilter(
  bpfDirectory: string,
  metrics: AgentMetrics,
  log: Logger,
): Result<OpenedFilter, string> {
  if (bpfDirectory === "") return open(noFilterMaps, undefined, log);
  const bpf: Result<Bpf, string> = openBpf();
  const maps = bpf.ok ? openBpfFilterMaps(bpf.value, bpfDirectory, log) : bpf;
  const opened = maps.ok ? open(meterFilterMaps(maps.value, metrics), undefined, log) : maps;
  if (opened.ok) return opened;
  const problem = `the policy filter is in memory only: ${opened.error}`;
  log.error(problem, { bpfDirectory });
  return open(noFilterMaps, problem, log);
}

function open(maps: FilterMaps, problem: string | undefined, log: Logger): Result<OpenedFilter, string> {
  const filter = createMapPolicyFilter(maps, log);
  return filter.ok ? ok({ filter: filter.value, problem, close: () => maps.close() }) : filter;
}
