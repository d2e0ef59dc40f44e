// SPDX-License-Identifier: Apache-2.0
// What the agent holds of one container, for its explanation.

import type { ContainerContext, ContainerReport, Failure } from "@rthooks/machines/pod";
import { beginHold, type HoldTimes } from "./hold-times.ts";

export interface ContainerFacts extends ContainerContext {
  /** State of the container's machine; empty for one whose report was refused before it had a machine. */
  readonly state: string;
  /** Undefined where nothing held it, or its start was held by an agent before this one. */
  readonly times: HoldTimes | undefined;
  /** When it ended or was refused: Unix time in milliseconds; undefined while it is on record. */
  readonly endedMs: number | undefined;
}

interface ReportOutcome {
  readonly state?: string;
  readonly failure?: Failure;
  readonly endedMs?: number;
  /** On the monotonic clock. */
  readonly answeredMs?: number;
}

/** Of a container that is not on record: its call waits for the answer, unless `outcome` says more. */
export function toReportFacts(report: ContainerReport, outcome: ReportOutcome = {}): ContainerFacts {
  const times = beginHold(report, undefined);
  return {
    ...{ report, source: report.source, reportedAtNanos: report.seenAtNanos },
    ...{ pod: undefined, cgroup: undefined, failure: outcome.failure },
    ...{ state: outcome.state ?? "", endedMs: outcome.endedMs },
    times: times && { ...times, answeredMs: outcome.answeredMs },
  };
}
