// SPDX-License-Identifier: Apache-2.0
// Keeps policy_filter_cgroup_maps up to date. A thread of its own writes the map, in batches. Changed cgroups are collected
// by id, and their filters are looked up when the thread is ready. While the map cannot be opened nothing is collected;
// everything is written once it can.

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import { createJobThread } from "../../base/edge/job-thread.ts";
import type { ReverseIndex } from "../core/reverse-index.ts";
import type { CgroupFilters } from "./bpf-reverse-map.ts";

export type ReverseJob =
  | { readonly kind: "open"; readonly directory: string }
  | { readonly kind: "put"; readonly changes: readonly CgroupFilters[] }
  /** Pins the map again where it is not pinned. */
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
  /** The cgroup's filters have changed. */
  put(cgroupId: bigint): void;
  /** Retries what has failed, and checks the pin. */
  retry(): void;
  /** Why the map is incomplete; empty where it is complete or soon will be. */
  problem(): string;
  /** Cgroups that the map has. */
  entries(): number;
  close(): void;
}

type Source = Pick<ReverseIndex, "filterIdsOf" | "cgroupIds" | "count">;

/** Cgroups in one call: the kernel waits once for all of them. */
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
  /** Cgroups that did not fit; retried when others are removed. */
  const failed = new Set<bigint>();
  let isOpen = false;
  let isBusy = false;
  let hasToCheck = false;
  let problem = "";
  let pinProblems: readonly string[] = [];

  const setProblem = (error: string): void => {
    const text = `policy_filter_cgroup_maps is not complete: ${error}`;
    if (text !== problem) log.error(text, { directory });
    problem = text;
  };

  const giveUp = (error: string): void => {
    isOpen = false;
    changed.clear();
    failed.clear();
    setProblem(error);
  };

  const open = async (): Promise<Result<void, string>> => {
    const report = await thread.run({ kind: "open", directory });
    if (!report.ok) return report;
    if (report.value.kind === "unusable") return err(report.value.error);
    if (report.value.kind !== "opened") return err("the answer belongs to another job");
    for (const why of report.value.notes) log.warn(why, {});
    pinProblems = report.value.problems;
    // The found cgroups first: those without filters make room.
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
    if (report.value.kind !== "done") return err("the answer belongs to another job");
    const notDone = new Set(report.value.failed);
    let room = 0;
    for (const [cgroupId, filterIds] of changes) {
      metrics.countFilterChange("reverse-put", !notDone.has(cgroupId));
      // A cgroup that has changed again is put again anyway.
      if (notDone.has(cgroupId) && !changed.has(cgroupId)) failed.add(cgroupId);
      if (!notDone.has(cgroupId)) failed.delete(cgroupId);
      if (!notDone.has(cgroupId) && filterIds.length === 0) room++;
    }
    if (notDone.size > 0) setProblem(report.value.error);
    // As many as there is room for now.
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
      log.warn("pin was missing or replaced: the map is pinned again", { directory });
    return ok(undefined);
  };

  const again = (cgroupId: bigint): void => {
    failed.delete(cgroupId);
    changed.add(cgroupId);
  };

  const proceed = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    // All changes of one event in one batch.
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
    problem: () => [problem, ...pinProblems].filter((text) => text !== "").join("; "),
    entries: () => (isOpen ? Math.max(0, source.count() - changed.size - failed.size) : 0),
    close: thread.close,
  };
}
