// SPDX-License-Identifier: Apache-2.0
// How a document is laid out: what is added looks like what is there.

import type { Header, Path } from "./document.ts";

export const findLineEnding = (text: string): string => (/\r?\n/.exec(text)?.[0] === "\r\n" ? "\r\n" : "\n");

/** Blanks before the place, if nothing else is on its line before it. */
export function findIndent(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

/** Behind the line end of the line that the place is on. */
export function findNextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

export interface TableLayout {
  readonly header: string;
  readonly key: string;
  readonly hasBlankLineBefore: boolean;
  /** The neighbour's name as it is written. */
  readonly name: string;
}

const STEP = "  ";

/** Of the last table that is the new one's neighbour: under the same first key, and as deep. */
export function findTableLayout(text: string, headers: readonly Header[], path: Path): TableLayout {
  const related = headers.filter(({ path: other }) => other[0] === path[0] && other.length > 1);
  const neighbour =
    related.findLast(({ path: other }) => other.length === path.length) ?? related.at(-1) ?? headers.at(-1);
  if (neighbour === undefined)
    return { header: "", key: STEP, hasBlankLineBefore: text.trim() !== "", name: "" };
  const [start] = neighbour.node.range;
  const header = findIndent(text, start);
  const withKeys = [neighbour, ...related.toReversed()].find(({ node }) => node.body[0] !== undefined);
  const [first] = withKeys?.node.body ?? [];
  const deeper =
    withKeys === undefined || first === undefined
      ? STEP
      : findIndent(text, first.range[0]).slice(findIndent(text, withKeys.node.range[0]).length);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  return {
    header,
    key: header + deeper,
    name: text.slice(...neighbour.node.key.range),
    hasBlankLineBefore: /(^|\n)[ \t]*\r?\n$/.test(text.slice(0, lineStart)),
  };
}
