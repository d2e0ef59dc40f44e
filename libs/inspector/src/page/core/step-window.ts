// SPDX-License-Identifier: Apache-2.0

import { isTaken, type Moment, type TimelineStep } from "./step-log.ts";

export interface StepWindow {
  readonly steps: readonly TimelineStep[];
  /** How many there are before and after those. */
  readonly earlier: number;
  readonly later: number;
}

const maxSteps = 200;
const maxLater = 50;

/** The steps of one actor that a timeline shows: those before the moment, and some after it. */
export function chooseSteps(steps: readonly TimelineStep[], moment: Moment | undefined): StepWindow {
  const next = moment === undefined ? -1 : steps.findIndex((step) => !isTaken(step, moment));
  const end = Math.min(steps.length, next === -1 ? steps.length : Math.max(next + maxLater, maxSteps));
  const first = Math.max(0, end - maxSteps);
  return { steps: steps.slice(first, end), earlier: first, later: steps.length - end };
}
