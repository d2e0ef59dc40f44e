// SPDX-License-Identifier: Apache-2.0
// Which rows of a long list are in the document. All rows have the same height.

export interface ListViewport {
  readonly rows: number;
  /** Of one row, in pixels. */
  readonly rowHeight: number;
  readonly scrollTop: number;
  readonly height: number;
}

export interface RowRange {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/** Rows above and below those in sight, so that a short scroll shows no gap. */
const spare = 6;

export function toRowRange({ rows, rowHeight, scrollTop, height }: ListViewport): RowRange {
  const first = Math.max(0, Math.min(rows, Math.floor(scrollTop / rowHeight) - spare));
  const end = Math.min(rows, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return { first, end: Math.max(first, end) };
}

/** Where to scroll so that a row is completely in sight; where it is already, if it is. */
export function scrollToRow({ rowHeight, scrollTop, height }: ListViewport, row: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + rowHeight - height);
}

/** The row that a key leads to; undefined for a key that has no meaning in a list. */
export function moveByKey(
  key: string,
  row: number,
  { rows, rowHeight, height }: ListViewport,
): number | undefined {
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: row + 1,
    ArrowUp: row < 0 ? 0 : row - 1,
    PageDown: Math.max(0, row) + page,
    PageUp: row - page,
    Home: 0,
    End: rows - 1,
  };
  const target = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return target === undefined || rows === 0 ? undefined : Math.min(rows - 1, Math.max(0, target));
}
