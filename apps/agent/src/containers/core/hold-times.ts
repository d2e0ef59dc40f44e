// SPDX-License-Identifier: Apache-2.0
// When the agent did what for the start of a held container: a few numbers for each, and nothing for a repeated call.

import { type ContainerReport, runsAlready } from "@rthooks/machines/pod";

/** Milliseconds on the monotonic clock; undefined where it did not come to that. */
export interface HoldTimes {
  /** The call that held the container. */
  readonly report: ContainerReport;
  readonly arrivedMs: number;
  /** The lookup of the cgroup begins. */
  readonly lookupMs: number | undefined;
  /** The cgroup is known, and the writing of the filter maps begins. */
  readonly filterMs: number | undefined;
  /** The filter maps have the container. */
  readonly writtenMs: number | undefined;
  readonly answeredMs: number | undefined;
}

export interface HoldRecorder {
  /** The first step of a start. Reports of containers that run already are ignored. */
  begin(report: ContainerReport, lookupMs: number | undefined): void;
  /** A later step of it; the first one counts. */
  note(containerId: string, step: "filterMs" | "writtenMs" | "answeredMs", atMs: number): void;
  find(containerId: string): HoldTimes | undefined;
  forget(containerId: string): void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Of a hold that begins; undefined for the report of a container that runs already. */
export function beginHold(
  report: ContainerReport,
  lookupMs: number | undefined,
): Mutable<HoldTimes> | undefined {
  const { arrivedMs } = report;
  if (arrivedMs === undefined || runsAlready(report)) return undefined;
  return { report, arrivedMs, lookupMs, filterMs: undefined, writtenMs: undefined, answeredMs: undefined };
}

export function createHoldRecorder(): HoldRecorder {
  const timesOf = new Map<string, Mutable<HoldTimes>>();
  return {
    begin(report, lookupMs) {
      const times = beginHold(report, lookupMs);
      if (times !== undefined) timesOf.set(report.containerId, times);
    },
    note(containerId, step, atMs) {
      const times = timesOf.get(containerId);
      if (times !== undefined) times[step] ??= atMs;
    },
    find: (containerId) => timesOf.get(containerId),
    forget: (containerId) => void timesOf.delete(containerId),
  };
}
