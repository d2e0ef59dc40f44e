// SPDX-License-Identifier: Apache-2.0
// The thread that writes policy_filter_cgroup_maps; its other side is reverse-map-thread.ts.

import { openBpf } from "@rthooks/bpf";
import { resetPriority } from "@rthooks/sys/priority";
import { openReverseMap, type ReverseMap } from "./bpf-reverse-map.ts";
import type { ReverseJob, ReverseReport } from "./reverse-map-thread.ts";

// The thread's global object, which the types of the main thread lack.
declare const self: Worker;

let map: ReverseMap | undefined;

function open(directory: string): ReverseReport {
  map?.close();
  map = undefined;
  const bpf = openBpf();
  const notes: string[] = [];
  const problems: string[] = [];
  const reports = {
    note: (what: string) => notes.push(what),
    problem: (what: string) => problems.push(what),
  };
  const opened = bpf.ok ? openReverseMap(bpf.value, directory, reports) : bpf;
  if (!opened.ok) return { kind: "unusable", error: opened.error };
  map = opened.value;
  const found = map.list();
  return found.ok
    ? { kind: "opened", cgroupIds: found.value, notes, problems }
    : { kind: "unusable", error: found.error };
}

function work(job: ReverseJob): ReverseReport {
  if (job.kind === "open") return open(job.directory);
  if (map === undefined) return { kind: "unusable", error: "the map is not open" };
  if (job.kind === "check") {
    const checked = map.keepPinned();
    return checked.ok
      ? { kind: "checked", isPinnedAgain: checked.value }
      : { kind: "unusable", error: checked.error };
  }
  const failures = map.put(job.changes);
  return { kind: "done", failed: [...failures.keys()], error: [...failures.values()][0] ?? "" };
}

resetPriority();
self.onmessage = ({ data }: MessageEvent<ReverseJob>) => self.postMessage(work(data));
