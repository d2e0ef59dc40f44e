// SPDX-License-Identifier: Apache-2.0
// A lifecycle over cgroups in memory, as its tests drive it.

import type { Pod } from "@rthooks/kube";
import type { Inspect } from "@rthooks/machines/inspection";
import { err, ok } from "@rthooks/result";
import { SimulatedClock } from "xstate";
import type { Refusal } from "../../base/core/refusal.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { noFilterMaps } from "../../filter/core/filter-maps.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { createPolicyFilter } from "../../filter/core/policy-filter.ts";
import { createPodStore } from "../../pods/core/pod-store.ts";
import { type HookRequest, parseHookRequest } from "./hook-request.ts";
import { createLifecycle } from "./lifecycle.ts";

export const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
export const otherUid = "5c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
export const retentionMs = 1000;

export const web = (labels: Record<string, string>, namespace = "shop"): Pod => ({
  uid,
  staticPodHash: undefined,
  namespace,
  name: "web-0",
  labels: new Map(Object.entries(labels)),
  workload: { name: "web-0", kind: "Pod" },
  containers: [],
});

export const emptyFields: HookRequest = {
  cgroupsPath: "",
  containerName: "",
  containerId: "",
  containerImage: "",
  podName: "",
  podUid: "",
  podNamespace: "",
  trusted: undefined,
};

export function createMemoryPolicyFilter(): PolicyFilter {
  const filter = createPolicyFilter(noFilterMaps, {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: () => {},
  });
  if (!filter.ok) throw new Error(filter.error);
  return filter.value;
}

interface OpenOptions {
  readonly inspect?: Inspect;
  readonly policyFilter?: PolicyFilter;
  /** Of an earlier run of the agent, by path. */
  readonly cgroups?: Map<string, bigint>;
  /** The monotonic clock goes on by a millisecond with each look at it. */
  readonly ticks?: boolean;
}

/** The lifecycle over cgroups that the test creates and removes. */
export function open(options: OpenOptions = {}) {
  const cgroups = options.cgroups ?? new Map<string, bigint>();
  /** Cgroups with processes. */
  const busy = new Set<string>();
  const lines: string[] = [];
  const later: (() => void)[] = [];
  const note = (message: string): void => void lines.push(message);
  const cgroupResolver: CgroupResolver = {
    problem: () => "",
    resolve: (path) => {
      const id = cgroups.get(path);
      return id === undefined
        ? err({ kind: "cgroup-missing", message: `no cgroup ${path}` })
        : ok({ path, id });
    },
    inspect: ({ path, id }) => (cgroups.get(path) === id ? "exists" : "gone"),
    findForeignBelow: () => undefined,
    isEmpty: ({ path }) => !busy.has(path),
  };
  const pods = createPodStore();
  let nowMs = 0;
  const policyFilter = options.policyFilter ?? createMemoryPolicyFilter();
  const clock = new SimulatedClock();
  const lifecycle = createLifecycle({
    podSource: pods,
    containerPolicies: policyFilter,
    cgroupResolver,
    time: {
      unixMs: () => 1_000_000,
      now: () => (options.ticks === true ? ++nowMs : 0),
      after: (_, callback) => {
        later.push(callback);
        return () => later.splice(later.indexOf(callback), 1);
      },
    },
    log: { debug: note, info: note, warn: note, error: note },
    failureRetentionMs: retentionMs,
    clock,
    inspect: options.inspect,
  });
  const report = (
    fields: Partial<HookRequest>,
    answerByMs = Number.POSITIVE_INFINITY,
  ): Refusal | "released" | "no answer" => {
    let answer: Refusal | "released" | "no answer" = "no answer";
    const parsed = parseHookRequest(
      {
        cgroupsPath: "/kubepods/x/c1",
        containerName: "app",
        containerId: "c1",
        containerImage: "nginx",
        podName: "web-0",
        podUid: uid,
        podNamespace: "shop",
        trusted: undefined,
        ...fields,
      },
      1n,
      answerByMs,
    );
    if (!parsed.ok) return parsed.error;
    lifecycle.report(parsed.value.report, (refusal) => {
      if (answer !== "no answer") throw new Error("answered twice");
      answer = refusal ?? "released";
    });
    return answer;
  };
  const filtered = () =>
    [...policyFilter.list()].map(({ containerId, cgroupId, namespace, labels }) =>
      [containerId, cgroupId, namespace, ...[...labels].map(([key, value]) => `${key}=${value}`)].join(" "),
    );
  return { lifecycle, cgroups, busy, pods, clock, lines, report, filtered };
}
