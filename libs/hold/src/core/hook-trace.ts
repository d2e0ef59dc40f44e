// SPDX-License-Identifier: Apache-2.0
// The way of one hook invocation through its machine, for its line in the log at level debug.

import type { LogFields } from "@rthooks/log/json-line";
import { describeInspection, type Inspect } from "@rthooks/machines/inspection";

/** One step of the machine in a log line. Another program reads it: see docs/hook.md. */
interface TraceStep extends Readonly<Record<string, string | number>> {
  /** Microseconds from the start of the invocation to this step. */
  readonly us: number;
  /** The event that led to the state. */
  readonly event: string;
  /** From the outermost to the innermost state: "active.reaching.connecting". */
  readonly state: string;
}

export interface HookTrace {
  /** Records each step. The states of two steps can be the same. */
  readonly inspect: Inspect;
  /** For the last line: how the invocation ended, and why the agent did not release the container. */
  fields(outcome: string, failureKind: string | undefined): LogFields;
}

/** While no agent listens there are some 130 steps a second: the first and the last ones stay. */
const FIRST_STEPS = 40;
const LAST_STEPS = 24;

/** `nowMs`: milliseconds since the start of the invocation, with fractions. */
export function createHookTrace(nowMs: () => number): HookTrace {
  const steps: TraceStep[] = [];
  let omitted = 0;
  return {
    inspect(inspected) {
      if (inspected.type !== "@xstate.snapshot") return;
      const { what, state } = describeInspection(inspected);
      if (steps.length === FIRST_STEPS + LAST_STEPS) {
        steps.splice(FIRST_STEPS, 1);
        omitted++;
      }
      steps.push({ us: Math.round(nowMs() * 1000), event: what, state });
    },
    fields: (outcome, reason) => ({
      outcome,
      reason,
      trace: steps,
      "trace-omitted": omitted === 0 ? undefined : omitted,
    }),
  };
}
