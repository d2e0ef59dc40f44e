// SPDX-License-Identifier: Apache-2.0

import type { Container, Pod, Process } from "../gen/tetragon/events.ts";
import { orNone, toMap, toTime } from "./json-value.ts";

export const toProcessJson = (process: Process): unknown => ({
  exec_id: orNone(process.execId),
  pid: process.pid,
  uid: process.uid,
  cwd: orNone(process.cwd),
  binary: orNone(process.binary),
  arguments: orNone(process.arguments),
  flags: orNone(process.flags),
  start_time: toTime(process.startTime),
  auid: process.auid,
  pod: process.pod && toPodJson(process.pod),
  docker: orNone(process.docker),
  parent_exec_id: orNone(process.parentExecId),
  refcnt: orNone(process.refcnt),
  tid: process.tid,
  in_init_tree: process.inInitTree,
});

const toPodJson = (pod: Pod): unknown => ({
  namespace: orNone(pod.namespace),
  name: orNone(pod.name),
  uid: orNone(pod.uid),
  container: pod.container && toContainerJson(pod.container),
  pod_labels: toMap(pod.podLabels),
  workload: orNone(pod.workload),
  workload_kind: orNone(pod.workloadKind),
});

const toContainerJson = ({ id, name, image, startTime, pid, maybeExecProbe }: Container): unknown => ({
  id: orNone(id),
  name: orNone(name),
  image: image && { id: orNone(image.id), name: orNone(image.name) },
  start_time: toTime(startTime),
  pid,
  maybe_exec_probe: orNone(maybeExecProbe),
});
