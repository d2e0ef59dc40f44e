// SPDX-License-Identifier: Apache-2.0

/**
 * What a name could change a terminal's display with: control, format and unassigned characters, line separators, and
 * characters without a glyph (Default_Ignorable_Code_Point: joiners, fillers, variation selectors).
 */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The ranges of letters that are written from right to left (DerivedBidiClass.txt, defaults R and AL). A terminal may
 * exchange two such cells of one line, so that a pod's name stands in the column of its namespace.
 */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;

/** Marks that would combine with a character outside of the text, and those beyond the third on one character. */
const strayMarks = /(?<=^|\p{M}{3})\p{M}/gu;

/**
 * Text from pods, containers or files as one harmless line: what could change the display is written as `\u{HEX}`.
 * Letters, wide characters, emoji and up to three combining marks on a character stay.
 */
export const toPrintable = (text: string): string =>
  text.replace(strayMarks, toEscape).replace(invisible, toEscape).replace(rightToLeft, toEscape);

const toEscape = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;
