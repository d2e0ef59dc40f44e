// SPDX-License-Identifier: Apache-2.0

/** What may become of a column where the table is too wide for the terminal. */
export interface ColumnBounds {
  /** It is cut to this width at the least. Without it never. */
  readonly shrinksTo?: number;
  /** It may be left out; of several columns the one with the lowest number is left out first. */
  readonly leaveOut?: number;
}

/**
 * The widths of the columns that a terminal of `available` columns shows, by their place. Columns with `leaveOut` go until
 * the others have their least widths; then the widest of these are cut; what does not fit then is left out at the right.
 * `natural`: the widths without a bound. `gap`: the width between two columns.
 */
export function fitColumns(
  columns: readonly ColumnBounds[],
  natural: readonly number[],
  gap: number,
  available: number,
): ReadonlyMap<number, number> {
  const kept = keepColumns(columns, natural, gap, available);
  const widthsAt = (limit: number): readonly number[] =>
    kept.map((at) => {
      const width = natural[at] ?? 0;
      return Math.min(width, Math.max(limit, columns[at]?.shrinksTo ?? width));
    });
  const fits = (limit: number): boolean => sumWithGaps(widthsAt(limit), gap) <= available;
  const widest = Math.max(0, ...natural);
  let limit = fits(widest) ? widest : Math.min(widest, available);
  while (limit > 0 && !fits(limit)) limit--;
  const widths = new Map<number, number>();
  let left = available;
  for (const [n, width] of widthsAt(limit).entries()) {
    if (left > 0) widths.set(kept[n] ?? 0, Math.min(width, left));
    left -= width + gap;
  }
  return widths;
}

/** Does not depend on how much narrower the cells are until now, so that the columns of a growing table seldom change. */
function keepColumns(
  columns: readonly ColumnBounds[],
  natural: readonly number[],
  gap: number,
  available: number,
): readonly number[] {
  const least = columns.map(({ shrinksTo }, at) => shrinksTo ?? natural[at] ?? 0);
  const order = columns
    .flatMap(({ leaveOut }, at) => (leaveOut === undefined ? [] : [{ leaveOut, at }]))
    .toSorted((a, b) => a.leaveOut - b.leaveOut);
  let kept: readonly number[] = [...columns.keys()];
  for (const { at } of order) {
    const widths = kept.map((one) => least[one] ?? 0);
    if (sumWithGaps(widths, gap) <= available) break;
    kept = kept.filter((one) => one !== at);
  }
  return kept;
}

const sumWithGaps = (widths: readonly number[], gap: number): number =>
  widths.reduce((sum, width) => sum + width, gap * (widths.length - 1));
