// SPDX-License-Identifier: Apache-2.0

import { openBpf } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../core/agent-metrics.ts";
import { noFilterMaps } from "../core/filter-maps.ts";
import { createMapPolicyFilter, type MapPolicyFilter } from "../core/map-policy-filter.ts";
import { meterFilterMaps } from "../core/metered-filter-maps.ts";
import { indexReverse } from "../core/reverse-index.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";
import { removeReverseMap } from "./bpf-reverse-map.ts";
import type { Places } from "./claim-places.ts";
import { type ReverseMapThread, startReverseMapThread } from "./reverse-map-thread.ts";

export interface PolicyFilterOptions {
  /** Empty: policies are kept in memory, and enforced by nobody. */
  readonly bpfDirectory: string;
  /** Also the policies of each cgroup, for people who look for what is wrong. */
  readonly hasReverseMap: boolean;
  readonly places: Places;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

interface OpenedFilter {
  readonly filter: MapPolicyFilter;
  readonly isInKernel: boolean;
  /** What the kernel does not have although it was wanted; empty ones are none. */
  problems(): readonly string[];
  /** What is pinned stays in force. */
  close(): void;
}

/** In the kernel's maps if that is wanted and possible, else in memory, where nobody enforces anything. */
export function openPolicyFilter(options: PolicyFilterOptions): Result<OpenedFilter, string> {
  const { bpfDirectory, log } = options;
  if (bpfDirectory === "") return openInMemory("", log);
  const opened = openInKernel(options);
  if (opened.ok) return opened;
  const problem = `the policy filter is in memory only: ${opened.error}`;
  log.error(problem, { bpfDirectory });
  return openInMemory(problem, log);
}

function openInKernel({
  bpfDirectory,
  hasReverseMap,
  places,
  metrics,
  log,
}: PolicyFilterOptions): Result<OpenedFilter, string> {
  const bpf = openBpf();
  if (!bpf.ok) return bpf;
  if (places.bpfDirectory?.ok === false) return places.bpfDirectory;
  const maps = openBpfFilterMaps(bpf.value, bpfDirectory, log);
  if (!maps.ok) return maps;
  let thread: ReverseMapThread | undefined;
  if (hasReverseMap) thread = startReverseMapThread(bpfDirectory, metrics, log);
  else removeReverseMap(bpfDirectory);
  const metered = meterFilterMaps(maps.value, metrics);
  const filter = createMapPolicyFilter(
    thread === undefined ? metered : indexReverse(metered, thread.put),
    log,
  );
  const close = (): void => {
    thread?.close();
    maps.value.close();
  };
  if (filter.ok)
    return ok({
      filter: filter.value,
      isInKernel: true,
      problems: () => [filter.value.failed.problem(), thread?.problem() ?? ""],
      close,
    });
  close();
  return filter;
}

function openInMemory(problem: string, log: Logger): Result<OpenedFilter, string> {
  const filter = createMapPolicyFilter(noFilterMaps, log);
  return filter.ok
    ? ok({ filter: filter.value, isInKernel: false, problems: () => [problem], close: () => {} })
    : filter;
}
