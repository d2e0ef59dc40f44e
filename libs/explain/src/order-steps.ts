// SPDX-License-Identifier: Apache-2.0
// The order of what the holder of a container and the agent did. Each measured with its own clock, and the clocks differ by
// some milliseconds: the times alone would have the agent answer before it is asked.

export interface TimedStep {
  /** Who does it. */
  readonly from: string;
  readonly to: string;
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
}

/**
 * By time; but the agent does nothing before `holder` calls it, and what the holder does after its last call follows the
 * answer. `answer`: of the agent to that call; undefined without one.
 */
export function orderSteps<Step extends TimedStep>(
  steps: readonly Step[],
  answer: Step | undefined,
  holder: string,
): readonly Step[] {
  const own = sortByTime(steps.filter(({ from }) => from === holder));
  const others = sortByTime(steps.filter(({ from }) => from !== holder));
  const calls = own.filter(({ to }) => to === "agent");
  const [firstCall] = calls;
  const lastCall = calls.at(-1);
  const behindLast = lastCall === undefined ? own.length : own.indexOf(lastCall) + 1;
  const calledMs = firstCall?.atMs ?? Number.NEGATIVE_INFINITY;
  const answeredMs = Math.max(answer?.atMs ?? calledMs, lastCall?.atMs ?? calledMs);
  // Sorting is stable: of the same place, those that are first here stay first.
  const placed = [
    ...own.slice(0, behindLast).map((step) => ({ step, placeMs: step.atMs })),
    ...others.map((step) => ({ step, placeMs: Math.max(step.atMs, calledMs) })),
    ...(answer === undefined ? [] : [{ step: answer, placeMs: answeredMs }]),
    ...own.slice(behindLast).map((step) => ({
      step,
      placeMs: answer === undefined ? step.atMs : Math.max(step.atMs, answeredMs),
    })),
  ];
  return placed.toSorted((one, other) => one.placeMs - other.placeMs).map(({ step }) => step);
}

/** The most by which a step has an earlier time than one before it, in milliseconds; 0 where the times agree with the order. */
export function findClockGap(steps: readonly TimedStep[]): number {
  let latestMs = Number.NEGATIVE_INFINITY;
  let gapMs = 0;
  for (const { atMs } of steps) {
    gapMs = Math.max(gapMs, latestMs - atMs);
    latestMs = Math.max(latestMs, atMs);
  }
  return gapMs;
}

const sortByTime = <Step extends TimedStep>(steps: readonly Step[]): readonly Step[] =>
  steps.toSorted((one, other) => one.atMs - other.atMs);
