// SPDX-License-Identifier: Apache-2.0
// Events for clients of GetEvents and for the export file, and the programs in the kernel that they come from.

import { err, ok, type Result } from "@rthooks/result";
import type { CgroupRoot } from "../../cgroups/edge/find-cgroup-root.ts";
import type { OpenedEnforcement } from "../../enforcement/edge/open-enforcement.ts";
import { noStatistics } from "../../events/core/event-statistics.ts";
import type { EventContainers } from "../../events/core/reported-containers.ts";
import type { EventStatistics } from "../../events/core/thread-messages.ts";
import { type EventThread, startEventThread } from "../../events/edge/event-thread.ts";
import { attachProcessPrograms } from "../../events/edge/process-programs.ts";
import type { AgentOptions } from "./agent-options.ts";

export interface OpenedEvents extends EventContainers {
  /** Undefined where there are no programs that could report events. The caller ends the thread. */
  readonly thread: EventThread | undefined;
  /** What is not reported, and why, one line each. */
  problems(): readonly string[];
  /** Pins again what is not pinned any more. */
  sweep(): void;
  statistics(): EventStatistics;
}

/**
 * `directory`: of the maps that have the containers, an error where there are none. `parts` detaches the programs; the
 * caller ends the thread. The error is one line.
 */
export async function openEvents(
  options: AgentOptions,
  root: CgroupRoot,
  directory: OpenedEnforcement["directory"],
  onCgroupsGone: (cgroupIds: readonly bigint[]) => void,
  parts: DisposableStack,
): Promise<Result<OpenedEvents, string>> {
  const { eventExport, nodeName, clusterName, procfs, log } = options;
  if (directory === undefined) {
    if (eventExport !== undefined) {
      return err("--export-filename needs --enable-policy-filter: events come from BPF programs");
    }
    return ok(noEvents);
  }
  const programs = directory.ok ? attachProcessPrograms(directory.value, root.path, log) : directory;
  if (programs.ok) {
    parts.defer(programs.value.close);
    if (!options.keepsSensors) parts.defer(programs.value.detach);
  } else {
    log.error("there are no events of processes", { err: programs.error });
  }
  const node = { nodeName, clusterName, abi: process.arch };
  const records =
    directory.ok && programs.ok ? { directory: directory.value, procfs, cgroupRoot: root.path } : undefined;
  const started = await startEventThread({
    settings: { node, export: eventExport, records },
    ...{ log, onCgroupsGone },
  });
  if (!started.ok) return err(`events: ${started.error}`);
  const thread = started.value;
  return ok({
    ...{ thread, putContainer: thread.putContainer, removeContainer: thread.removeContainer },
    statistics: () => thread.statistics().records,
    sweep() {
      if (programs.ok) programs.value.keep();
    },
    problems: () => [
      ...(programs.ok ? programs.value.problems() : [`there are no events of processes: ${programs.error}`]),
      ...(thread.problem() === "" ? [] : [thread.problem()]),
    ],
  });
}

const noEvents: OpenedEvents = {
  thread: undefined,
  ...{
    putContainer() {},
    removeContainer() {},
    sweep() {},
    problems: () => [],
    statistics: () => noStatistics,
  },
};
