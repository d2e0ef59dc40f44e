// SPDX-License-Identifier: Apache-2.0

import { cutText } from "./cut-text.ts";
import { type ColumnBounds, fitColumns } from "./fit-columns.ts";
import { toPrintable } from "./printable.ts";
import type { Screen, Style } from "./screen.ts";

export interface Column extends ColumnBounds {
  readonly title: string;
  /** Its width at the least: room for cells that come later. */
  readonly atLeast?: number;
}

export interface Cell {
  /** May come from anywhere: it is escaped here. */
  readonly text: string;
  readonly style?: Style | undefined;
}

interface MeasuredCell extends Cell {
  readonly width: number;
}

const gap = "  ";

/**
 * The lines of a table, the header first, without line ends. Each column is as wide as its widest cell. On a terminal the
 * widest columns are cut until the table fits (`fitColumns`).
 */
export const renderTable = (
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): readonly string[] => createGrowingTable(columns, screen).add(rows);

/** A table whose lines come one after the other. */
export interface GrowingTable {
  /**
   * The lines of these rows; before them the header, at the first call and where other columns fit than before. A column is
   * as wide as its widest cell until now, of the title and of all rows.
   */
  add(rows: readonly (readonly Cell[])[]): readonly string[];
}

export function createGrowingTable(columns: readonly Column[], screen: Screen): GrowingTable {
  const header = columns.map(({ title }): MeasuredCell => {
    return { text: title, style: "bold", width: screen.widthOf(title) };
  });
  const natural = columns.map(({ atLeast = 0 }, at) => Math.max(header[at]?.width ?? 0, atLeast));
  let shownBefore = "";
  return {
    add(rows) {
      const lines = rows.map((row) =>
        row.map(({ text, style }, at): MeasuredCell => {
          const printable = toPrintable(text);
          const width = screen.widthOf(printable);
          natural[at] = Math.max(natural[at] ?? 0, width);
          return { text: printable, style, width };
        }),
      );
      const widths = fitColumns(columns, natural, gap.length, screen.columns);
      const shown = [...widths.keys()].join();
      const withHeader = shown === shownBefore ? lines : [header, ...lines];
      shownBefore = shown;
      return withHeader.map((line) => renderLine(line, widths, screen));
    },
  };
}

/** `widths`: of the columns that are shown. */
function renderLine(
  line: readonly MeasuredCell[],
  widths: ReadonlyMap<number, number>,
  screen: Screen,
): string {
  const cells = [...widths].map(([at, room]) => ({
    text: "",
    style: undefined,
    width: 0,
    ...line[at],
    room,
  }));
  const last = cells.findLastIndex(({ text }) => text !== "");
  return cells
    .slice(0, last + 1)
    .map(({ text, style, width, room }, at) => {
      const shown = width > room ? cutText(text, room, screen.widthOf) : text;
      const padding = at === last ? 0 : Math.max(0, room - (shown === text ? width : screen.widthOf(shown)));
      return `${style === undefined ? shown : screen.paint(style, shown)}${" ".repeat(padding)}`;
    })
    .join(gap);
}
