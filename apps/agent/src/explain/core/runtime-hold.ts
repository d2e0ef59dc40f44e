// SPDX-License-Identifier: Apache-2.0
// How long the runtime was held, and where the time went.

import type { HoldPhase, HookInvocation, RuntimeHold } from "@rthooks/explain";
import type { HoldTimes } from "../../containers/core/hold-times.ts";
import { toMs } from "./identity-parts.ts";

/**
 * `times`: of the agent. `invocation`: of the hook, if its log has it; its clock decides, since it began earlier and ended
 * later. `nowMs`: on the monotonic clock, for a hold that lasts.
 */
export function toRuntimeHold(
  times: HoldTimes | undefined,
  invocation: HookInvocation | undefined,
  nowMs: number,
): RuntimeHold | undefined {
  const own = times && toOwnHold(times, nowMs);
  if (invocation === undefined) return own;
  const { by, startedMs, durationMs } = invocation;
  const phases = [...invocation.phases, ...(own?.phases ?? [])];
  return {
    by,
    startedMs,
    durationMs,
    phases: phases.toSorted((one, other) => one.startedMs - other.startedMs),
  };
}

function toOwnHold(times: HoldTimes, nowMs: number): RuntimeHold {
  const { report, arrivedMs, lookupMs, filterMs, writtenMs, answeredMs } = times;
  const startedMs = toMs(report.seenAtNanos);
  const endMs = answeredMs ?? nowMs;
  const toPhase = (
    where: HoldPhase["where"],
    what: string,
    fromMs: number | undefined,
    untilMs: number | undefined,
  ): readonly HoldPhase[] =>
    fromMs === undefined
      ? []
      : [{ where, what, startedMs: startedMs + fromMs - arrivedMs, durationMs: (untilMs ?? endMs) - fromMs }];
  const { podWait } = report;
  return {
    by: report.source === "nri" ? "nri" : "hook",
    startedMs,
    durationMs: endMs - arrivedMs,
    phases: [
      ...toPhase("agent", "check the request", arrivedMs, podWait?.startedMs ?? lookupMs),
      ...toPhase("pod source", "wait for the pod", podWait?.startedMs, podWait?.endedMs),
      ...toPhase("agent", "find the cgroup", lookupMs, filterMs),
      ...toPhase("kernel map", "write the filter maps", filterMs, writtenMs),
      ...toPhase("agent", "answer", writtenMs, answeredMs),
    ],
  };
}
