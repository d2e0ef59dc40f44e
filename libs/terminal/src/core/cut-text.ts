// SPDX-License-Identifier: Apache-2.0

import type { Screen } from "./screen.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * The text, or as many whole characters of it as fit before an ellipsis. `text` is printable (`toPrintable`) and has no
 * styles: a cut style would colour the rest of the terminal.
 */
export function cutText(text: string, columns: number, widthOf: Screen["widthOf"]): string {
  if (columns === Number.POSITIVE_INFINITY || widthOf(text) <= columns) return text;
  if (columns < 1) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
