// SPDX-License-Identifier: Apache-2.0
// How much happened when: transitions by parts of the recorded time.

import { toTone } from "./state-ids.ts";
import { isMove, type StepLog } from "./step-log.ts";

export interface TimeRange {
  /** Unix time in milliseconds, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface DensityPart {
  readonly transitions: number;
  /** Of those: into a state that means a failure. */
  readonly failures: number;
}

/** Undefined without a step. */
export function toTimeRange(log: StepLog): TimeRange | undefined {
  const [first, last] = [log.at(0), log.at(log.size() - 1)];
  return first === undefined || last === undefined ? undefined : { startMs: first.atMs, endMs: last.atMs };
}

/** Parts of the same length, from the first step to the last. */
export function toDensity(log: StepLog, parts: number): readonly DensityPart[] {
  const counts = Array.from({ length: parts }, () => ({ transitions: 0, failures: 0 }));
  const range = toTimeRange(log);
  if (range === undefined) return counts;
  const partMs = (range.endMs - range.startMs) / parts;
  for (let index = 0; index < log.size(); index++) {
    const step = log.at(index);
    if (step === undefined || !isMove(step)) continue;
    const at = partMs === 0 ? 0 : Math.floor((step.atMs - range.startMs) / partMs);
    const part = counts[Math.min(parts - 1, at)];
    if (part === undefined) continue;
    part.transitions++;
    if (toTone(step.to.at(-1) ?? "") === "bad") part.failures++;
  }
  return counts;
}

/** The outline of bars for an SVG of `counts.length` by 1; the highest of all has the height 1. Few are still visible. */
export function renderBars(counts: readonly number[], highest: number): string {
  return counts
    .map((count, at) => {
      if (count === 0) return "";
      const height = 0.15 + 0.85 * (Math.log1p(count) / Math.log1p(Math.max(1, highest)));
      return `M${at} 1V${(1 - height).toFixed(3)}H${at + 0.8}V1Z`;
    })
    .join("");
}
