// SPDX-License-Identifier: Apache-2.0
// A thread of its own for policy_filter_cgroup_maps; see reverse-map-thread.ts for the other side.

import { openBpf } from "@rthooks/bpf";
import { openReverseMap, type ReverseMap } from "./bpf-reverse-map.ts";
import type { ReverseJob, ReverseReport } from "./reverse-map-thread.ts";

// The thread's own global object, which the types of the main thread do not have.
declare const self: Worker;

let map: ReverseMap | undefined;

function work(job: ReverseJob): ReverseReport {
  if (job.kind === "open") {
    const bpf = openBpf();
    const replaced: string[] = [];
    const opened = bpf.ok
      ? openReverseMap(bpf.value, job.directory, (path, why) => replaced.push(`${path}: ${why}`))
      : bpf;
    if (!opened.ok) return { kind: "unusable", error: opened.error };
    map = opened.value;
    const found = map.list();
    return found.ok
      ? { kind: "opened", cgroupIds: found.value, replaced }
      : { kind: "unusable", error: found.error };
  }
  const failures = map?.put(job.changes) ?? new Map<bigint, string>();
  return { kind: "done", failed: [...failures.keys()], error: [...failures.values()][0] ?? "" };
}

self.onmessage = ({ data }: MessageEvent<ReverseJob>) => self.postMessage(work(data));
