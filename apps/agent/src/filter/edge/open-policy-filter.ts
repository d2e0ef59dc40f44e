// SPDX-License-Identifier: Apache-2.0

import { openBpf } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { MapFill } from "../../base/core/agent-state-metrics.ts";
import { createTimeSlice } from "../../base/edge/time-slice.ts";
import type { FilterLimits } from "../core/filter-ids.ts";
import { type FilterMaps, noFilterMaps } from "../core/filter-maps.ts";
import { createPolicyFilter, type PolicyFilter } from "../core/policy-filter.ts";
import { indexReverse } from "../core/reverse-index.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";
import { REVERSE_ENTRIES, removeReverseMap } from "./bpf-reverse-map.ts";
import type { BpfDirectory } from "./claim-bpf-directory.ts";
import { createPinKeeper } from "./keep-pins.ts";
import { startOuterMapThread } from "./outer-map-thread.ts";
import { type ReverseMapThread, startReverseMapThread } from "./reverse-map-thread.ts";

export interface PolicyFilterOptions {
  /** Empty: the filter is in memory only, and nothing is enforced. */
  readonly bpfDirectory: string;
  /** Also keeps policy_filter_cgroup_maps, for debugging. */
  readonly hasReverseMap: boolean;
  readonly filterLimits: FilterLimits;
  /** Undefined where no maps are wanted; an error where there cannot be any. */
  readonly claimedDirectory: Result<BpfDirectory, string> | undefined;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

export interface OpenedFilter {
  readonly filter: PolicyFilter;
  readonly isInKernel: boolean;
  /** Why the kernel does not have the filter as configured, one line each. */
  problems(): readonly string[];
  /** Empty where the filter is in memory. */
  fill(): readonly MapFill[];
  /** Retries what has failed, and pins maps again whose pins are missing. */
  sweep(): void;
  /** Pinned maps stay in force. */
  close(): void;
}

/** In the kernel if that is wanted and possible, else in memory, where nothing is enforced. */
export function openPolicyFilter(options: PolicyFilterOptions): Result<OpenedFilter, string> {
  const { log, claimedDirectory: directory, bpfDirectory } = options;
  if (directory === undefined) return openInMemory("", options);
  const opened = directory.ok ? openInKernel(options, directory.value) : directory;
  if (opened.ok) return opened;
  const problem = `the policy filter is in memory only: ${opened.error}`;
  log.error(problem, { bpfDirectory });
  return openInMemory(problem, options);
}

function openInKernel(options: PolicyFilterOptions, directory: BpfDirectory): Result<OpenedFilter, string> {
  const { metrics, log, filterLimits } = options;
  const bpf = openBpf();
  if (!bpf.ok) return bpf;
  const found: string[] = [];
  const reports = {
    note: (what: string) => log.warn(what, {}),
    problem: (what: string) => {
      log.error(what, {});
      found.push(what);
    },
  };
  const maps = openBpfFilterMaps(bpf.value, directory.path, {
    reports,
    openOuter: startOuterMapThread,
    count: metrics.countFilterChange,
  });
  if (!maps.ok) return maps;
  const reverse = openReverse(options, directory.path, maps.value);
  const filter = createPolicyFilter(reverse.maps, log, filterLimits, createTimeSlice());
  const close = (): void => {
    reverse.thread?.close();
    maps.value.close();
  };
  if (!filter.ok) {
    close();
    return filter;
  }
  const pins = createPinKeeper(bpf.value, directory, maps.value.pinned, log);
  return ok({
    filter: filter.value,
    isInKernel: true,
    problems: () => [...found, ...filter.value.problems(), pins.problem(), reverse.problem()],
    fill: () => [...maps.value.fill(), ...reverse.fill()],
    sweep() {
      filter.value.retry();
      pins.check();
      reverse.thread?.retry();
    },
    close,
  });
}

interface Reverse {
  readonly maps: FilterMaps;
  readonly thread: ReverseMapThread | undefined;
  problem(): string;
  fill(): readonly MapFill[];
}

function openReverse(
  { hasReverseMap, metrics, log }: PolicyFilterOptions,
  directory: string,
  maps: FilterMaps,
): Reverse {
  if (!hasReverseMap) {
    const removed = removeReverseMap(directory);
    if (!removed.ok) log.error(removed.error, {});
    return { maps, thread: undefined, problem: () => (removed.ok ? "" : removed.error), fill: () => [] };
  }
  let thread: ReverseMapThread | undefined;
  const index = indexReverse(maps, (cgroupId) => thread?.put(cgroupId));
  const opened = startReverseMapThread(directory, index, metrics, log);
  thread = opened;
  const fill = (): readonly MapFill[] => [
    { map: "policy_filter_cgroup_maps", entries: opened.entries(), capacity: REVERSE_ENTRIES },
  ];
  return { maps: index.maps, thread, problem: opened.problem, fill };
}

function openInMemory(
  problem: string,
  { log, filterLimits }: PolicyFilterOptions,
): Result<OpenedFilter, string> {
  const filter = createPolicyFilter(noFilterMaps, log, filterLimits, createTimeSlice());
  if (!filter.ok) return filter;
  return ok({
    filter: filter.value,
    isInKernel: false,
    problems: () => [problem],
    fill: () => [],
    sweep: () => {},
    close: () => {},
  });
}
