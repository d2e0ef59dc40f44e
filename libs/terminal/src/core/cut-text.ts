// SPDX-License-Identifier: Apache-2.0

import type { Screen } from "./screen.ts";

/** Made for the first text that is cut: most programs cut none, and it takes some milliseconds. */
let graphemes: Intl.Segmenter | undefined;

/**
 * The text, or as many whole characters of it as fit before an ellipsis. `text` is printable (`toPrintable`) and has no
 * styles: a cut style would colour the rest of the terminal.
 */
export function cutText(text: string, columns: number, widthOf: Screen["widthOf"]): string {
  if (columns === Number.POSITIVE_INFINITY || widthOf(text) <= columns) return text;
  if (columns < 1) return "";
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
