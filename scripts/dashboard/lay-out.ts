// SPDX-License-Identifier: Apache-2.0
import type { PlacedPanel } from "./model.ts";
import type { Row } from "./row.ts";

/** Width of Grafana's grid. */
const GRID = 24;

/** Places the panels of each row from left to right, below the row's title. Panels of a line have one height. */
export function layOut(rows: readonly Row[]): readonly PlacedPanel[] {
  const placed: PlacedPanel[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      ...{ id: placed.length + 1, type: "row", title, collapsed: false, panels: [] },
      gridPos: { x: 0, y, w: GRID, h: 1 },
    });
    y++;
    let x = 0;
    let lineHeight = 0;
    for (const { panel, width, height } of panels) {
      if (x + width > GRID) {
        y += lineHeight;
        x = 0;
      }
      placed.push({ ...panel, id: placed.length + 1, gridPos: { x, y, w: width, h: height } });
      x += width;
      lineHeight = height;
    }
    y += lineHeight;
  }
  return placed;
}
