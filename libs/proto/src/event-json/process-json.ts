// SPDX-License-Identifier: Apache-2.0

import type { Container, Pod, Process } from "../gen/tetragon/events.ts";
import { orNone, renderJson, toMap, toTime } from "./json-value.ts";

export const toProcessJson = (one: Process): string => renderJson(toFields(one));

const toFields = (one: Process): object => ({
  exec_id: orNone(one.execId),
  pid: one.pid,
  uid: one.uid,
  cwd: orNone(one.cwd),
  binary: orNone(one.binary),
  arguments: orNone(one.arguments),
  flags: orNone(one.flags),
  start_time: toTime(one.startTime),
  auid: one.auid,
  pod: one.pod && toPodJson(one.pod),
  docker: orNone(one.docker),
  parent_exec_id: orNone(one.parentExecId),
  refcnt: orNone(one.refcnt),
  tid: one.tid,
  in_init_tree: one.inInitTree,
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
