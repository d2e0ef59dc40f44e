// SPDX-License-Identifier: Apache-2.0
// XState's state values as the ids that the charts use: "connected", "connected.serving".

/** From the outermost to the innermost state; empty for an actor that has not reached a state. */
export function listStateIds(value: unknown, prefix = ""): readonly string[] {
  if (typeof value === "string") return [prefix + value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    prefix + key,
    ...listStateIds(inner, `${prefix}${key}.`),
  ]);
}

/** The states of "connected.serving": "connected", "connected.serving". */
export const listPath = (innermost: string): readonly string[] =>
  innermost === "" ? [] : innermost.split(".").map((_, at, keys) => keys.slice(0, at + 1).join("."));

/** A line of a chart, by the states that it connects. */
export interface ChartLine {
  readonly source: string;
  readonly target: string;
}

/**
 * The lines of a chart that an actor may have taken between two states: of those that leave a state which it was in
 * and enter one which it is in, the ones with the innermost target.
 */
export function findTakenLines<Line extends ChartLine>(
  lines: readonly Line[],
  from: readonly string[],
  to: readonly string[],
): readonly Line[] {
  const taken = lines.filter(({ source, target }) => from.includes(source) && to.includes(target));
  const entering = taken.filter(({ target }) => !from.includes(target) || target === from.at(-1));
  const innermost = Math.max(0, ...entering.map(({ target }) => target.length));
  return entering.filter(({ target }) => target.length === innermost);
}

/** What a state means to an operator: it decides the colour. */
export type StateTone = "good" | "bad" | "busy" | "over";

const tones: Readonly<Record<string, StateTone>> = {
  released: "good",
  registered: "good",
  confirmed: "good",
  succeeded: "good",
  allowed: "good",
  skipped: "good",
  serving: "good",
  failed: "bad",
  denied: "bad",
  lost: "bad",
  failCheck: "bad",
  unsynchronized: "bad",
  gone: "over",
  stopped: "over",
  deleted: "over",
};

export const toTone = (state: string): StateTone => tones[state.slice(state.lastIndexOf(".") + 1)] ?? "busy";
