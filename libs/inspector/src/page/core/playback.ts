// SPDX-License-Identifier: Apache-2.0
// Which moment the page shows: now, or one of the past, which may move forward slowly.

import type { Moment, StepLog } from "./step-log.ts";

/** A factor of time; or "steps": one transition after the other, each shown for the same time. */
export type Speed = number | "steps";

export interface Playback {
  /** Undefined: now. */
  readonly moment: Moment | undefined;
  readonly isPlaying: boolean;
  readonly speed: Speed;
  /** With the speed "steps": for how long the last one has been shown. */
  readonly shownMs: number;
}

export const live: Playback = { moment: undefined, isPlaying: false, speed: 1, shownMs: 0 };

/** How long each transition is shown with the speed "steps". */
export const stepShownMs = 700;

export const toLive = (playback: Playback): Playback => ({
  ...playback,
  moment: undefined,
  isPlaying: false,
});

/** Stops at the moment that is shown. */
export function pause(playback: Playback, log: StepLog): Playback {
  const last = log.at(log.size() - 1);
  const moment = playback.moment ?? { sequence: last?.sequence ?? 0, atMs: last?.atMs ?? 0 };
  return { ...playback, moment, isPlaying: false };
}

/** From the moment that is shown; from the beginning where that is now. */
export function play(playback: Playback, log: StepLog): Playback {
  const moment = playback.moment ?? toBeginning(log);
  return { ...playback, moment, isPlaying: true, shownMs: 0 };
}

/** To a time. It keeps playing if it does. */
export function seek(playback: Playback, log: StepLog, atMs: number): Playback {
  const beginning = toBeginning(log);
  const last = log.at(log.findTime(atMs));
  const moment = last === undefined ? beginning : { sequence: last.sequence, atMs };
  return { ...playback, moment, shownMs: 0 };
}

/** To the moment right after the next transition, or after the one before; behind the last one is now. */
export function stepTo(playback: Playback, log: StepLog, direction: 1 | -1): Playback {
  const { moment } = playback;
  const index = moment === undefined ? log.size() : log.find(moment);
  if (direction === 1) {
    const next = log.at(log.findMove(index, 1) ?? -1);
    return next === undefined ? toLive(playback) : moveTo(playback, next);
  }
  // The transition that was taken last is undone: what is shown is the moment after the one before it.
  const last = log.findMove(moment === undefined ? index : index + 1, -1);
  const before = last === undefined ? undefined : log.at(log.findMove(last, -1) ?? -1);
  return before === undefined
    ? { ...playback, moment: toBeginning(log), isPlaying: false }
    : moveTo(playback, before);
}

/** `elapsedMs`: of the reader's time. At the end of what is recorded it is now. */
export function advance(playback: Playback, log: StepLog, elapsedMs: number): Playback {
  const { moment, isPlaying, speed, shownMs } = playback;
  if (moment === undefined || !isPlaying) return playback;
  if (speed === "steps") {
    if (shownMs + elapsedMs < stepShownMs) return { ...playback, shownMs: shownMs + elapsedMs };
    return {
      ...stepTo(playback, log, 1),
      isPlaying: log.findMove(log.find(moment), 1) !== undefined,
    };
  }
  const atMs = moment.atMs + elapsedMs * speed;
  const end = log.at(log.size() - 1)?.atMs ?? 0;
  if (atMs >= end) return toLive(playback);
  const sequence = log.at(log.findTime(atMs))?.sequence ?? moment.sequence;
  return { ...playback, moment: { sequence, atMs } };
}

const moveTo = (playback: Playback, moment: Moment): Playback => ({
  ...playback,
  moment: { sequence: moment.sequence, atMs: moment.atMs },
  isPlaying: false,
  shownMs: 0,
});

/** Before the first step that is kept. */
function toBeginning(log: StepLog): Moment {
  const first = log.at(0);
  return { sequence: -1, atMs: first?.atMs ?? 0 };
}

/** Of the value of a form field: "0.25", "steps". */
export const toSpeed = (value: string): Speed => (value === "steps" ? value : Number(value) || 1);
