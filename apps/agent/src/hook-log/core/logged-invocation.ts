// SPDX-License-Identifier: Apache-2.0
// One invocation of the hook, from its line in the hook's log (docs/hook.md). The line is another program's: every member
// is checked, texts are cut, and numbers are bounded.

import type { HookInvocation } from "@rthooks/explain";
import { REPORT_SOURCE_KEY } from "@rthooks/oci";
import * as v from "valibot";
import { toPhases } from "./hold-phases.ts";

export interface LoggedInvocation extends HookInvocation {
  /** At least one, in the order of their times. */
  readonly steps: readonly HookStep[];
  /** Steps that the line leaves out in the middle. */
  readonly omittedSteps: number;
  /** Why the fail check denied the container; empty if it did not. */
  readonly denial: string;
}

export interface HookStep {
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
  /** The event that led to the state. */
  readonly event: string;
  /** From the outermost to the innermost state: "active.reaching.connecting". */
  readonly state: string;
}

/** Twice what the hook writes. */
const MAX_STEPS = 128;
const MAX_NAME = 512;
const MAX_PATH = 4096;
const MAX_SENTENCE = 2048;
/** The time for which a hook can run at most, and more: one day. */
const MAX_US = 24 * 3600 * 1_000_000;

const text = (maxLength: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.transform((value) => value.slice(0, maxLength)),
    ),
    "",
  );
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const stepSchema = v.object({ us: count(MAX_US), event: text(MAX_NAME), state: text(MAX_NAME) });

const outcomes = { succeeded: "released", skipped: "skipped", allowed: "allowed", denied: "denied" } as const; // const: literals

const lineSchema = v.object({
  "start-time": v.string(),
  outcome: v.picklist(["succeeded", "skipped", "allowed", "denied"]),
  reason: text(MAX_NAME),
  "req-containerID": text(MAX_NAME),
  "req-containerName": text(MAX_NAME),
  "req-containerImage": text(MAX_NAME),
  "req-podNamespace": text(MAX_NAME),
  "req-podName": text(MAX_NAME),
  "req-podUID": text(MAX_NAME),
  "req-cgroups": text(MAX_PATH),
  "req-annotations": v.optional(v.object({ [REPORT_SOURCE_KEY]: text(MAX_NAME) })),
  err: text(MAX_SENTENCE),
  error: text(MAX_SENTENCE),
  "should-fail": text(MAX_SENTENCE),
  trace: v.pipe(v.array(stepSchema), v.minLength(1), v.maxLength(MAX_STEPS)),
  "trace-omitted": v.optional(count(Number.MAX_SAFE_INTEGER), 0),
});

/** The key that only such a line has. JSON escapes quotes in texts, so no value contains this. */
const mark = '"trace":[';

/** Undefined for any other line. */
export function parseInvocation(line: string): LoggedInvocation | undefined {
  if (!line.includes(mark)) return undefined;
  const parsed = v.safeParse(lineSchema, parseJson(line));
  if (!parsed.success) return undefined;
  const { output } = parsed;
  const steps = output.trace.toSorted((a, b) => a.us - b.us);
  const [first, last] = [steps[0], steps.at(-1)];
  const heldMs = parseTime(output["start-time"]);
  if (first === undefined || last === undefined || heldMs === undefined) return undefined;
  // The time was read just before the first step.
  const startedMs = heldMs - first.us / 1000;
  const toMs = (us: number): number => startedMs + us / 1000;
  const by = output["req-annotations"]?.[REPORT_SOURCE_KEY] === "nri" ? "nri" : "hook";
  const timed = steps.map(({ us, event, state }) => ({ atMs: toMs(us), event, state }));
  return {
    containerId: output["req-containerID"],
    namespace: output["req-podNamespace"],
    pod: output["req-podName"],
    podUid: output["req-podUID"],
    container: output["req-containerName"],
    image: output["req-containerImage"],
    cgroup: output["req-cgroups"],
    by,
    startedMs,
    durationMs: last.us / 1000,
    phases: toPhases(by, startedMs, timed),
    outcome: outcomes[output.outcome],
    failure: output.reason === "" ? undefined : { kind: output.reason, message: output.error || output.err },
    denial: output["should-fail"],
    steps: timed,
    omittedSteps: output["trace-omitted"],
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** RFC 3339 in UTC with nine digits, as the hook writes it. */
function parseTime(time: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(time);
  const secondsMs = Date.parse(`${match?.[1]}Z`);
  return match === null || Number.isNaN(secondsMs) ? undefined : secondsMs + Number(match[2]) / 1e6;
}

/** The last lines of most invocations, as they are at other levels than debug. */
const plainMarks = ['"msg":"hook request to agent succeeded"', '"msg":"failing container"'];

/** Of a line that is not one of an invocation: it would be at level debug. */
export const isWithoutTrace = (line: string): boolean =>
  plainMarks.some((plain) => line.includes(plain)) && !line.includes(mark);
