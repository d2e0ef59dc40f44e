// SPDX-License-Identifier: Apache-2.0
// What is needed to explain a container that is on record, has ended, or was refused.

import {
  type ContainerContext,
  type ContainerReport,
  type Failure,
  runsAlready,
} from "@rthooks/machines/pod";
import type { Time } from "../../base/core/time.ts";
import { type ContainerFacts, toReportFacts } from "./container-facts.ts";
import { createEndedContainers } from "./ended-containers.ts";
import { createHoldRecorder, type HoldRecorder } from "./hold-times.ts";
import type { PluginRefusals } from "./plugin-refusals.ts";

export interface ContainerHistory {
  readonly times: HoldRecorder;
  ofRecord(context: ContainerContext, state: string): ContainerFacts;
  /** The container leaves the record. One that ended before it was registered, and was not held, leaves no trace. */
  end(context: ContainerContext): void;
  /** Its report was refused, and it is not on record. */
  refuse(report: ContainerReport, failure: Failure): void;
  findEnded(containerId: string): ContainerFacts | undefined;
  listEnded(): Iterable<ContainerFacts>;
}

export function createContainerHistory(
  time: Pick<Time, "unixMs" | "now">,
  pluginRefusals: Pick<PluginRefusals, "find">,
): ContainerHistory {
  const times = createHoldRecorder();
  const ended = createEndedContainers();
  const ofRecord = (context: ContainerContext, state: string): ContainerFacts => {
    const { containerId } = context.report;
    const reason = pluginRefusals.find(containerId);
    // The cgroup that the agent misses is then gone because of the denial.
    const isDenied = reason !== undefined && context.failure !== undefined;
    return {
      ...context,
      ...(isDenied ? { failure: { kind: "plugin", message: reason } } : {}),
      state,
      times: times.find(containerId),
      endedMs: undefined,
    };
  };
  return {
    times,
    ofRecord,
    end(context) {
      if (context.cgroup !== undefined || !runsAlready(context.report)) {
        ended.add({ ...ofRecord(context, "gone"), endedMs: time.unixMs() });
      }
      times.forget(context.report.containerId);
    },
    refuse(report, failure) {
      ended.add(toReportFacts(report, { failure, answeredMs: time.now(), endedMs: time.unixMs() }));
    },
    findEnded: ended.find,
    listEnded: ended.list,
  };
}
