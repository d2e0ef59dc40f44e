// SPDX-License-Identifier: Apache-2.0
// Keeps policy_filter_cgroup_maps as the policy filter is: the map is written by a thread of its own, which is given the
// cgroups that have changed since it was last at work. Here are their ids only; what is right for them is looked up when
// the thread can take it. Where the map cannot be had nothing is collected, and all is written when it can.

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import { createJobThread } from "../../base/edge/job-thread.ts";
import type { ReverseIndex } from "../core/reverse-index.ts";
import type { CgroupFilters } from "./bpf-reverse-map.ts";

export type ReverseJob =
  | { readonly kind: "open"; readonly directory: string }
  | { readonly kind: "put"; readonly changes: readonly CgroupFilters[] }
  /** Whether the map is pinned still; it is pinned again where it is not. */
  | { readonly kind: "check"; readonly directory: string };

export type ReverseReport =
  | {
      readonly kind: "opened";
      readonly cgroupIds: readonly bigint[];
      readonly notes: readonly string[];
      readonly problems: readonly string[];
    }
  | { readonly kind: "unusable"; readonly error: string }
  | { readonly kind: "done"; readonly failed: readonly bigint[]; readonly error: string }
  | { readonly kind: "checked"; readonly isPinnedAgain: boolean };

export interface ReverseMapThread {
  /** The cgroup has other policies now. */
  put(cgroupId: bigint): void;
  /** Once more what could not be done, and a look at the pin. */
  retry(): void;
  /** Why the map is not right; empty where it is, or soon will be. */
  problem(): string;
  close(): void;
}

type Source = Pick<ReverseIndex, "filterIdsOf" | "cgroupIds">;

/** In one go: one wait for the kernel serves them all. */
const batchSize = 256;

export function startReverseMapThread(
  directory: string,
  source: Source,
  metrics: AgentMetrics,
  log: Logger,
): ReverseMapThread {
  const thread = createJobThread<ReverseJob, ReverseReport>(
    () => new Worker(new URL("./reverse-map-worker.ts", import.meta.url)),
  );
  const changed = new Set<bigint>();
  /** What did not fit; it is tried again when something else has left. */
  const failed = new Set<bigint>();
  let isOpen = false;
  let isBusy = false;
  let hasToCheck = false;
  let problem = "";
  let inTheWay: readonly string[] = [];

  const sayProblem = (error: string): void => {
    const told = `policy_filter_cgroup_maps is not complete: ${error}`;
    if (told !== problem) log.error(told, { directory });
    problem = told;
  };

  const giveUp = (error: string): void => {
    isOpen = false;
    changed.clear();
    failed.clear();
    sayProblem(error);
  };

  const open = async (): Promise<Result<void, string>> => {
    const report = await thread.run({ kind: "open", directory });
    if (!report.ok) return report;
    if (report.value.kind === "unusable") return err(report.value.error);
    if (report.value.kind !== "opened") return err("another job's answer");
    for (const why of report.value.notes) log.warn(why, {});
    inTheWay = report.value.problems;
    // What an earlier agent has left goes first, where it is not wanted.
    for (const cgroupId of [...report.value.cgroupIds, ...source.cgroupIds()]) changed.add(cgroupId);
    isOpen = true;
    problem = "";
    return ok(undefined);
  };

  const put = async (): Promise<Result<void, string>> => {
    const cgroupIds = [...changed].slice(0, batchSize);
    for (const cgroupId of cgroupIds) changed.delete(cgroupId);
    const changes = cgroupIds.map((cgroupId) => [cgroupId, source.filterIdsOf(cgroupId)] as const);
    const report = await thread.run({ kind: "put", changes });
    if (!report.ok) return report;
    if (report.value.kind !== "done") return err("another job's answer");
    const notDone = new Set(report.value.failed);
    let room = 0;
    for (const [cgroupId, filterIds] of changes) {
      metrics.countFilterChange("reverse-put", !notDone.has(cgroupId));
      // By now it may have to be something else.
      if (notDone.has(cgroupId) && !changed.has(cgroupId)) failed.add(cgroupId);
      if (!notDone.has(cgroupId)) failed.delete(cgroupId);
      if (!notDone.has(cgroupId) && filterIds.length === 0) room++;
    }
    if (notDone.size > 0) sayProblem(report.value.error);
    // As many as have left make room for.
    for (const cgroupId of [...failed].slice(0, room)) again(cgroupId);
    if (failed.size === 0 && changed.size === 0) problem = "";
    return ok(undefined);
  };

  const check = async (): Promise<Result<void, string>> => {
    hasToCheck = false;
    const report = await thread.run({ kind: "check", directory });
    if (!report.ok) return report;
    if (report.value.kind === "unusable") return err(report.value.error);
    if (report.value.kind === "checked" && report.value.isPinnedAgain)
      log.warn("a pin of the policy filter was gone: the map is pinned again", { directory });
    return ok(undefined);
  };

  const again = (cgroupId: bigint): void => {
    failed.delete(cgroupId);
    changed.add(cgroupId);
  };

  const proceed = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    // What one event changes goes together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (!isOpen || changed.size > 0 || hasToCheck) {
        const done = !isOpen ? await open() : hasToCheck ? await check() : await put();
        if (done.ok) continue;
        giveUp(done.error);
        return;
      }
    } finally {
      isBusy = false;
    }
  };

  void proceed();
  return {
    put(cgroupId) {
      if (!isOpen) return;
      failed.delete(cgroupId);
      changed.add(cgroupId);
      void proceed();
    },
    retry() {
      for (const cgroupId of [...failed]) again(cgroupId);
      hasToCheck = isOpen;
      void proceed();
    },
    problem: () => [problem, ...inTheWay].filter((text) => text !== "").join("; "),
    close: thread.close,
  };
}
