// SPDX-License-Identifier: Apache-2.0
// What all actors did, in the order of its time: bounded in number and size, and searched by time. What the program reads
// from another process's log comes later than what happened after it.

export interface TimelineStep {
  readonly sequence: number;
  readonly sessionId: string;
  readonly machine: string;
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
  /** The type of the event. */
  readonly event: string;
  readonly payload: unknown;
  /** States from the outermost to the innermost; `from` is empty for an actor's first step. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Since when the actor was in `from`. */
  readonly fromSinceMs: number;
  readonly hasEnded: boolean;
  /** After the event. */
  readonly context: unknown;
  /** Of its messages, in UTF-16 code units. */
  readonly length: number;
}

/** Whether the event led to another state. */
export const isMove = ({ from, to }: Pick<TimelineStep, "from" | "to">): boolean => from.at(-1) !== to.at(-1);

/** A point of the recorded time: right after the step with this number. */
export interface Moment {
  readonly sequence: number;
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
}

/** Whether a step is taken at a moment. */
export const isTaken = (step: TimelineStep, { sequence, atMs }: Moment): boolean =>
  step.atMs < atMs || (step.atMs === atMs && step.sequence <= sequence);

/** By their time. */
export const compareSteps = (one: TimelineStep, other: TimelineStep): number =>
  one.atMs - other.atMs || one.sequence - other.sequence;

export interface StepLog {
  size(): number;
  at(index: number): TimelineStep | undefined;
  /** Index of the last step that is taken at this moment; -1 without one. */
  find(moment: Moment): number;
  /** Index of the last step at this time or before; -1 without one. */
  findTime(atMs: number): number;
  /** Index of the next move after (1) or before (-1) this index; undefined without one. */
  findMove(index: number, direction: 1 | -1): number | undefined;
}

export interface WritableStepLog extends StepLog {
  append(step: TimelineStep): void;
  /** Steps with lower numbers than all others, in the order of their time. Returns how many there was room for: the last. */
  prepend(steps: readonly TimelineStep[]): number;
  /** Puts a step in the place of the one with the same number. */
  replace(step: TimelineStep): void;
  clear(): void;
}

export interface StepBounds {
  readonly maxSteps: number;
  /** Of all steps together, in UTF-16 code units. */
  readonly maxLength: number;
}

/** `onDrop` gets each step that is dropped for a newer one: the oldest first. */
export function createStepLog(
  { maxSteps, maxLength }: StepBounds,
  onDrop: (step: TimelineStep) => void,
): WritableStepLog {
  let steps: TimelineStep[] = [];
  /** Index of the oldest step that counts: those before it are cut off from time to time. */
  let start = 0;
  let length = 0;

  const size = (): number => steps.length - start;

  const dropOldest = (): void => {
    const oldest = steps[start];
    if (oldest === undefined) return;
    length -= oldest.length;
    start++;
    onDrop(oldest);
    if (start < maxSteps) return;
    steps = steps.slice(start);
    start = 0;
  };

  /** Index of the last step of which this holds: it holds of all before that one. */
  const findLast = (holds: (step: TimelineStep) => boolean): number => {
    let low = start;
    let high = steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const step = steps[middle];
      if (step !== undefined && holds(step)) low = middle + 1;
      else high = middle;
    }
    return low - 1 - start;
  };

  const find = (moment: Moment): number => findLast((step) => isTaken(step, moment));

  return {
    size,
    at: (index) => (index < 0 ? undefined : steps[start + index]),
    find,
    findTime: (atMs) => findLast((step) => step.atMs <= atMs),
    findMove(index, direction) {
      for (let at = index + direction; at >= 0 && at < size(); at += direction) {
        const step = steps[start + at];
        if (step !== undefined && isMove(step)) return at;
      }
      return undefined;
    },
    append(step) {
      steps.splice(start + find(step) + 1, 0, step);
      length += step.length;
      while (size() > maxSteps || (length > maxLength && size() > 1)) dropOldest();
    },
    prepend(earlier) {
      let first = earlier.length;
      while (first > 0 && size() + earlier.length - first < maxSteps) {
        const next = earlier[first - 1]?.length ?? 0;
        if (length + next > maxLength) break;
        length += next;
        first--;
      }
      steps = [...earlier.slice(first), ...steps.slice(start)].sort(compareSteps);
      start = 0;
      return earlier.length - first;
    },
    replace(step) {
      const index = find(step);
      const known = steps[start + index];
      if (known?.sequence !== step.sequence) return;
      length += step.length - known.length;
      steps[start + index] = step;
    },
    clear() {
      steps = [];
      start = 0;
      length = 0;
    },
  };
}

/** The moves behind the one moment up to the other; no more than can be seen at once. */
export function listMoves(log: StepLog, after: Moment, upTo: Moment): readonly TimelineStep[] {
  const moves: TimelineStep[] = [];
  let index = log.find(after);
  while (moves.length < maxMoves) {
    const next = log.findMove(index, 1);
    const step = next === undefined ? undefined : log.at(next);
    if (next === undefined || step === undefined || !isTaken(step, upTo)) break;
    moves.push(step);
    index = next;
  }
  return moves;
}

/** More at once cannot be seen. */
export const maxMoves = 200;
