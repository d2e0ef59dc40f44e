// SPDX-License-Identifier: Apache-2.0
// Keeps policy_filter_cgroup_maps as the policy filter is, without holding anybody up: the map is written by a thread of
// its own, which is given what has changed since it was last at work.

import type { Logger } from "@rthooks/log";
import type { AgentMetrics } from "../core/agent-metrics.ts";
import type { OnCgroupPolicies } from "../core/reverse-index.ts";
import type { CgroupPolicies } from "./bpf-reverse-map.ts";

export type ReverseJob =
  | { readonly kind: "open"; readonly directory: string }
  | {
      readonly kind: "put";
      readonly changes: readonly CgroupPolicies[];
    };

export type ReverseReport =
  | { readonly kind: "opened"; readonly cgroupIds: readonly bigint[]; readonly replaced: readonly string[] }
  | { readonly kind: "unusable"; readonly error: string }
  | { readonly kind: "done"; readonly failed: readonly bigint[]; readonly error: string };

export interface ReverseMapThread {
  readonly put: OnCgroupPolicies;
  /** Why the map is not right; empty where it is, or soon will be. */
  problem(): string;
  close(): void;
}

/** In one go: one wait for the kernel serves them all. */
const batchSize = 256;

export function startReverseMapThread(
  directory: string,
  metrics: AgentMetrics,
  log: Logger,
): ReverseMapThread {
  const waiting = new Map<bigint, readonly number[]>();
  /** What did not fit; it is tried again when something else has left. */
  const failed = new Map<bigint, readonly number[]>();
  let underWay: ReadonlyMap<bigint, readonly number[]> = new Map();
  let isBusy = true;
  let problem = "";
  const worker = new Worker(new URL("./reverse-map-worker.ts", import.meta.url));
  const send = (job: ReverseJob): void => worker.postMessage(job);

  const sayProblem = (error: string): void => {
    problem = `policy_filter_cgroup_maps is not complete: ${error}`;
    log.error(problem, { directory });
  };

  const proceed = (): void => {
    isBusy = waiting.size > 0;
    if (!isBusy) return;
    underWay = new Map([...waiting].slice(0, batchSize));
    for (const cgroupId of underWay.keys()) waiting.delete(cgroupId);
    send({ kind: "put", changes: [...underWay] });
  };

  const conclude = ({ failed: ids, error }: Extract<ReverseReport, { kind: "done" }>): void => {
    for (const [cgroupId, policyIds] of underWay) {
      const hasFailed = ids.includes(cgroupId);
      metrics.countFilterChange("reverse-put", !hasFailed);
      // By now it may have to be something else.
      if (hasFailed && !waiting.has(cgroupId)) failed.set(cgroupId, policyIds);
    }
    if (ids.length > 0 && problem === "") sayProblem(error);
    // As many as have left make room for.
    let room = [...underWay].filter(
      ([cgroupId, policyIds]) => policyIds.length === 0 && !ids.includes(cgroupId),
    ).length;
    for (const [cgroupId, policyIds] of failed) {
      if (room-- <= 0) break;
      failed.delete(cgroupId);
      if (!waiting.has(cgroupId)) waiting.set(cgroupId, policyIds);
    }
    if (failed.size === 0 && waiting.size === 0) problem = "";
  };

  worker.addEventListener("message", ({ data }: MessageEvent<ReverseReport>) => {
    switch (data.kind) {
      case "unusable":
        sayProblem(data.error);
        return;
      case "opened":
        for (const why of data.replaced) log.warn("a pinned map of another layout is replaced", { err: why });
        // What an earlier agent has left and nobody wants goes first.
        for (const cgroupId of data.cgroupIds) if (!waiting.has(cgroupId)) waiting.set(cgroupId, []);
        break;
      case "done":
        conclude(data);
    }
    proceed();
  });
  worker.addEventListener("error", ({ message }) => sayProblem(message));
  // It must not keep the process alive.
  worker.unref();
  send({ kind: "open", directory });

  return {
    put(cgroupId, policyIds) {
      failed.delete(cgroupId);
      waiting.set(cgroupId, policyIds);
      if (!isBusy) {
        isBusy = true;
        // What one event changes goes together.
        setImmediate(proceed);
      }
    },
    problem: () => problem,
    close: () => worker.terminate(),
  };
}
