// SPDX-License-Identifier: Apache-2.0
// The thread that changes policy_filter_maps. Both sides use the same descriptors, which belong to the process.

import type { Bpf, BpfMap } from "@rthooks/bpf";
import { renderBpfError } from "@rthooks/bpf";
import { err, type Result } from "@rthooks/result";
import { createJobThread } from "../../base/edge/job-thread.ts";
import type { OuterChange, OuterMap, OuterOutcome } from "./outer-map.ts";

export type OuterJob =
  | { readonly kind: "create"; readonly filterIds: readonly number[] }
  | { readonly kind: "change"; readonly outerFd: number; readonly change: OuterChange };

export type OuterReport =
  | { readonly kind: "created"; readonly descriptors: ReadonlyMap<number, Result<number, string>> }
  | { readonly kind: "changed"; readonly outcome: OuterOutcome }
  | { readonly kind: "failed"; readonly error: string };

export function startOuterMapThread(bpf: Bpf, outer: BpfMap): OuterMap {
  const thread = createJobThread<OuterJob, OuterReport>(
    () => new Worker(new URL("./outer-map-worker.ts", import.meta.url)),
  );
  // Started now: later there may be too few descriptors, and a thread that cannot start ends the process.
  void thread.run({ kind: "create", filterIds: [] });
  const whyNot = (report: Result<OuterReport, string>): string => {
    if (!report.ok) return report.error;
    return report.value.kind === "failed" ? report.value.error : "the answer belongs to another job";
  };
  return {
    async create(filterIds) {
      const report = await thread.run({ kind: "create", filterIds });
      if (!report.ok || report.value.kind !== "created")
        return new Map(filterIds.map((id) => [id, err(whyNot(report))]));
      const made = new Map<number, Result<BpfMap, string>>();
      for (const [filterId, fd] of report.value.descriptors) {
        const map = fd.ok ? bpf.openDescriptor(fd.value) : fd;
        if (map.ok) made.set(filterId, map);
        else made.set(filterId, err(typeof map.error === "string" ? map.error : renderBpfError(map.error)));
      }
      return made;
    },
    async change(change) {
      const report = await thread.run({ kind: "change", outerFd: outer.fd, change });
      if (report.ok && report.value.kind === "changed") return report.value.outcome;
      const why = whyNot(report);
      return {
        removed: new Map(change.removed.map((id) => [id, why])),
        put: new Map(change.put.map(([id]) => [id, why])),
      };
    },
    close: thread.close,
  };
}
