// SPDX-License-Identifier: Apache-2.0
// Where the parts of a sequence diagram are, in pixels. One row a step, so that texts cannot overlap.

import type { Participant, SequenceStep, StartSequence } from "@rthooks/explain";
import { renderDuration } from "./time-format.ts";
import { showInvisible } from "./visible-text.ts";

export interface SequenceLayout {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly SequenceColumn[];
  readonly rows: readonly SequenceRow[];
  /** Why a row may have an earlier time than the row above it; empty where none has. */
  readonly note: string;
}

export interface SequenceColumn {
  readonly name: Participant;
  readonly x: number;
  /** From the first step that asks it to its last step; undefined for the runtime, which asks all others. */
  readonly active: { readonly top: number; readonly bottom: number } | undefined;
}

export interface SequenceRow extends SequenceStep {
  readonly y: number;
  readonly fromX: number;
  readonly toX: number;
  /** Where its arrow ends: at the edge of an active column. */
  readonly endX: number;
  /** Where its text begins. */
  readonly textX: number;
  /** "+4.30 ms" since the first step. */
  readonly time: string;
  /** "5.20 ms"; empty where it is not known. */
  readonly duration: string;
}

const left = 92;
/** Where the times end. */
export const timeX = 80;
/** Half of the width of a column's name. */
export const halfName = 58;
const columnWidth = 136;
const headHeight = 48;
const rowHeight = 38;
/** Half of the width of an active column. */
export const halfBar = 5;
/** Of a character of the drawing's font, 12 px monospace; DejaVu Sans Mono has the widest of the usual ones. */
export const characterWidth = 7.3;

export function layOutSequence({ participants, steps, clockGapMs }: StartSequence): SequenceLayout {
  const xOf = (name: Participant): number => left + (participants.indexOf(name) + 0.5) * columnWidth;
  const startMs = steps[0]?.atMs ?? 0;
  const rows = steps.map((step, at): SequenceRow => {
    const [fromX, toX] = [xOf(step.from), xOf(step.to)];
    return {
      ...{ ...step, text: showInvisible(step.text) },
      ...{
        fromX,
        toX,
        endX: toX + Math.sign(fromX - toX) * (step.to === "runtime" ? 1 : halfBar),
        y: headHeight + (at + 1) * rowHeight,
        textX: Math.min(fromX, toX) + 12,
      },
      time: at === 0 ? "0" : `+${renderDuration(step.atMs - startMs)}`,
      duration: step.durationMs === undefined ? "" : renderDuration(step.durationMs),
    };
  });
  const columnsEnd = left + participants.length * columnWidth;
  const width = Math.max(columnsEnd, ...rows.map((row) => row.textX + textLength(row) * characterWidth + 12));
  return {
    width: Math.ceil(width),
    height: headHeight + (rows.length + 1) * rowHeight,
    columns: participants.map((name) => ({ name, x: xOf(name), active: findActive(name, rows) })),
    rows,
    note: clockGapMs < shownGapMs ? "" : renderClockNote(participants, clockGapMs),
  };
}

/** Less is not seen in the times. */
const shownGapMs = 0.01;

function renderClockNote(participants: readonly Participant[], gapMs: number): string {
  const holder = participants.includes("plugin") ? "plugin" : "hook";
  return `The clocks of ${holder} and agent differ by ${renderDuration(gapMs)} or more. The rows are in the order in which one step leads to the next.`;
}

export const textLength = ({ text, duration }: Pick<SequenceRow, "text" | "duration">): number =>
  text.length + (duration === "" ? 0 : duration.length + 2);

/** One that was asked in vain does nothing. */
function findActive(name: Participant, rows: readonly SequenceRow[]): SequenceColumn["active"] {
  const first = rows.find(({ to }) => to === name);
  const last = rows.findLast(({ from, to }) => from === name || to === name);
  if (name === "runtime" || first === undefined || last === undefined) return undefined;
  if (first.tone === "bad" && !rows.some(({ from }) => from === name)) return undefined;
  return { top: first.y, bottom: Math.max(last.y, first.y + 14) };
}
