// SPDX-License-Identifier: Apache-2.0
// The thread that changes policy_filter_maps; its other side is outer-map-thread.ts.

import { type Bpf, type BpfMap, openBpf, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import { resetPriority } from "@rthooks/sys/priority";
import { changeOuter, createInner } from "./outer-map.ts";
import type { OuterJob, OuterReport } from "./outer-map-thread.ts";

// The thread's global object, which the types of the main thread lack.
declare const self: Worker;

let opened: Result<Bpf, string> | undefined;
let outer: BpfMap | undefined;

function work(job: OuterJob): OuterReport {
  opened ??= openBpf();
  if (!opened.ok) return { kind: "failed", error: opened.error };
  const bpf = opened.value;
  if (job.kind === "create") {
    // The maps stay open: the other side owns the descriptors.
    const descriptors = job.filterIds.map((id) => {
      const made = createInner(bpf, id);
      return [id, made.ok ? ok(made.value.fd) : err(made.error)] as const;
    });
    return { kind: "created", descriptors: new Map(descriptors) };
  }
  if (outer === undefined) {
    const map = bpf.openDescriptor(job.outerFd);
    if (!map.ok) return { kind: "failed", error: renderBpfError(map.error) };
    outer = map.value;
  }
  return { kind: "changed", outcome: changeOuter(outer, job.change) };
}

resetPriority();
self.onmessage = ({ data }: MessageEvent<OuterJob>) => self.postMessage(work(data));
