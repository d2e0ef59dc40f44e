// SPDX-License-Identifier: Apache-2.0

import type { Process } from "@rthooks/proto/events";
import type { EventContainer, ProcessFacts } from "../core/agent-event.ts";
import { toDocker } from "../core/event-subject.ts";
import { nanosToTimestamp } from "./timestamp.ts";

export function toProcessMessage(facts: ProcessFacts): Process {
  const { container } = facts;
  return {
    execId: facts.execId,
    pid: facts.pid,
    uid: facts.uid,
    cwd: facts.cwd,
    binary: facts.binary,
    arguments: facts.arguments,
    flags: facts.flags.join(" "),
    startTime: nanosToTimestamp(facts.startTimeNs),
    auid: facts.auid,
    pod: container === undefined ? undefined : toPodMessage(container, facts.namespacePid),
    docker: container === undefined ? "" : toDocker(container.id),
    parentExecId: facts.parentExecId,
    refcnt: facts.refcnt,
    tid: facts.tid,
    inInitTree: container === undefined ? undefined : facts.inInitTree,
  };
}

/** Undefined for a container without a pod, such as one of podman. */
function toPodMessage(container: EventContainer, namespacePid: number | undefined): Process["pod"] {
  if (container.podUid === "" && container.podName === "") return undefined;
  const { startTimeMs } = container;
  return {
    namespace: container.namespace,
    name: container.podName,
    uid: container.podUid,
    container: {
      id: container.runtime === "" ? container.id : `${container.runtime}://${container.id}`,
      name: container.name,
      image: { id: container.imageId, name: container.image },
      startTime: startTimeMs === undefined ? undefined : nanosToTimestamp(BigInt(startTimeMs) * 1_000_000n),
      pid: namespacePid,
      maybeExecProbe: false,
    },
    // ts-proto's type is not readonly; encoding only reads it.
    podLabels: container.labels as Map<string, string>,
    workload: container.workload,
    workloadKind: container.workloadKind,
  };
}
