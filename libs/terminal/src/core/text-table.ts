// SPDX-License-Identifier: Apache-2.0

import { cutText } from "./cut-text.ts";
import { toPrintable } from "./printable.ts";
import type { Screen, Style } from "./screen.ts";

export interface Column {
  readonly title: string;
  /** Where the table is too wide for the terminal, the column is cut to this width at the least. Without it never. */
  readonly shrinksTo?: number;
}

export interface Cell {
  /** May come from anywhere: it is escaped here. */
  readonly text: string;
  readonly style?: Style | undefined;
}

const gap = "  ";
/**
 * The lines of a table, the header first, without line ends. Each column is as wide as its widest cell. On a terminal the
 * widest columns are cut until the table fits; what does not fit then is left out at the right.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): readonly string[] {
  const table = createGrowingTable(columns, screen);
  return table.add([toHeader(columns), ...rows]);
}

/** A table whose lines come one after the other. */
export interface GrowingTable {
  /** The lines of these rows. A column is as wide as its widest cell until now, of the title and of all rows. */
  add(rows: readonly (readonly Cell[])[]): readonly string[];
}

export const toHeader = (columns: readonly Column[]): readonly Cell[] =>
  columns.map(({ title }) => ({ text: title, style: "bold" }));

export function createGrowingTable(columns: readonly Column[], screen: Screen): GrowingTable {
  const natural = columns.map(({ title }) => screen.widthOf(title));
  return {
    add(rows) {
      const lines = rows.map((row) =>
        row.map(({ text, style }, at) => {
          const printable = toPrintable(text);
          const width = screen.widthOf(printable);
          natural[at] = Math.max(natural[at] ?? 0, width);
          return { text: printable, style, width };
        }),
      );
      const widths = fitWidths(columns, natural, screen.columns);
      return lines.map((line) => renderLine(line, widths, screen));
    },
  };
}

function renderLine(
  line: readonly (Cell & { readonly width: number })[],
  widths: readonly number[],
  screen: Screen,
): string {
  const last = line.findLastIndex(({ text }, at) => text !== "" && (widths[at] ?? 0) > 0);
  return line
    .slice(0, last + 1)
    .map(({ text, style, width }, at) => {
      const room = widths[at] ?? 0;
      const shown = width > room ? cutText(text, room, screen.widthOf) : text;
      const padding = at === last ? 0 : Math.max(0, room - (shown === text ? width : screen.widthOf(shown)));
      return `${style === undefined ? shown : screen.paint(style, shown)}${" ".repeat(padding)}`;
    })
    .join(gap);
}

/** The width of each column in a terminal of `available` columns; 0 for one that has no room. */
function fitWidths(
  columns: readonly Column[],
  natural: readonly number[],
  available: number,
): readonly number[] {
  const gaps = gap.length * (columns.length - 1);
  const widthsAt = (limit: number): readonly number[] =>
    natural.map((width, at) => Math.min(width, Math.max(limit, columns[at]?.shrinksTo ?? width)));
  const fits = (limit: number): boolean =>
    widthsAt(limit).reduce((sum, width) => sum + width, gaps) <= available;
  const widest = natural.reduce((most, width) => Math.max(most, width), 0);
  let limit = fits(widest) ? widest : Math.min(widest, available);
  while (limit > 0 && !fits(limit)) limit--;
  let left = available;
  return widthsAt(limit).map((width) => {
    const room = Math.max(0, Math.min(width, left));
    left -= width + gap.length;
    return room;
  });
}
