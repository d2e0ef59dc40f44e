// SPDX-License-Identifier: Apache-2.0
// Where the time of a hold went, as bars on one axis.

import type { HoldPhase, RuntimeHold } from "@rthooks/explain";

interface PhaseBar extends HoldPhase {
  /** Left edge and width, as parts of the whole hold: 0 to 1. */
  readonly offset: number;
  readonly width: number;
}

export interface PhaseBars {
  readonly bars: readonly PhaseBar[];
  /** Time in which no phase was running. */
  readonly restMs: number;
}

/** Clocks of two programs differ by a little: what lies outside of the hold is cut. */
export function toPhaseBars({ startedMs, durationMs, phases }: RuntimeHold): PhaseBars {
  const within = (atMs: number): number => Math.min(durationMs, Math.max(0, atMs - startedMs));
  const spans = phases.map((phase) => {
    const from = within(phase.startedMs);
    return { phase, from, to: Math.max(from, within(phase.startedMs + phase.durationMs)) };
  });
  let coveredMs = 0;
  let endMs = 0;
  for (const { from, to } of spans.toSorted((one, other) => one.from - other.from)) {
    coveredMs += Math.max(0, to - Math.max(from, endMs));
    endMs = Math.max(endMs, to);
  }
  const share = (ms: number): number => (durationMs > 0 ? ms / durationMs : 0);
  return {
    bars: spans.map(({ phase, from, to }) => ({ ...phase, offset: share(from), width: share(to - from) })),
    restMs: Math.max(0, durationMs - coveredMs),
  };
}
