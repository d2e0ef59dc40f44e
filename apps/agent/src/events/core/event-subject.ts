// SPDX-License-Identifier: Apache-2.0
// What filters look at, of an event of this agent or of one that was read from a file.

import type { AgentEvent, ProcessFacts } from "./agent-event.ts";

/** The names of the API's EventType, with their numbers. */
export const eventTypes = {
  PROCESS_EXEC: 1,
  PROCESS_EXIT: 5,
  PROCESS_KPROBE: 9,
  PROCESS_TRACEPOINT: 10,
  PROCESS_LSM: 28,
  RATE_LIMIT_INFO: 40001,
} as const; // const: the names are a union

export interface EventSubject {
  readonly type: number;
  readonly process: SubjectProcess | undefined;
  readonly parent: SubjectProcess | undefined;
  /** Empty: of no policy. */
  readonly policyName: string;
}

export interface SubjectProcess {
  readonly pid: number;
  readonly binary: string;
  readonly arguments: string;
  readonly docker: string;
  readonly inInitTree: boolean;
  readonly pod: SubjectPod | undefined;
}

interface SubjectPod {
  readonly namespace: string;
  readonly name: string;
  readonly containerName: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** The first characters of a container's id, as in `process.docker`; the length is Tetragon's (pkg/sensors/exec/procevents). */
export const toDocker = (containerId: string): string => containerId.slice(0, 31);

const matchTypes = {
  kprobe: eventTypes.PROCESS_KPROBE,
  tracepoint: eventTypes.PROCESS_TRACEPOINT,
  lsm: eventTypes.PROCESS_LSM,
};

/** `toProcess`: one that remembers, where events are many. */
export function toSubject(event: AgentEvent, toProcess = toSubjectProcess): EventSubject {
  if (event.kind === "lost") {
    return { type: eventTypes.RATE_LIMIT_INFO, process: undefined, parent: undefined, policyName: "" };
  }
  const processes = {
    process: toProcess(event.process),
    parent: event.parent && toProcess(event.parent),
  };
  switch (event.kind) {
    case "exec":
      return { type: eventTypes.PROCESS_EXEC, ...processes, policyName: "" };
    case "exit":
      return { type: eventTypes.PROCESS_EXIT, ...processes, policyName: "" };
    case "match": {
      const { event: message, policyName } = event.report;
      return { type: matchTypes[message], ...processes, policyName };
    }
  }
}

export function toSubjectProcess(facts: ProcessFacts): SubjectProcess {
  const { pid, binary, arguments: args, container, inInitTree } = facts;
  const isInPod = container !== undefined && (container.podUid !== "" || container.podName !== "");
  return {
    ...{ pid, binary, arguments: args, inInitTree },
    docker: container === undefined ? "" : toDocker(container.id),
    pod: isInPod
      ? {
          namespace: container.namespace,
          name: container.podName,
          containerName: container.name,
          labels: container.labels,
        }
      : undefined,
  };
}
