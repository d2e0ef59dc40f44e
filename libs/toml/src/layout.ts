// SPDX-License-Identifier: Apache-2.0
// The layout of a document, so that added lines look like the existing ones.

import type { Header, Path } from "./document.ts";

export const findLineEnding = (text: string): string => (/\r?\n/.exec(text)?.[0] === "\r\n" ? "\r\n" : "\n");

/** The indentation of the line at the offset. */
export function findIndent(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

/** The offset of the next line. */
export function findNextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

export interface TableLayout {
  readonly header: string;
  readonly key: string;
  readonly hasBlankLineBefore: boolean;
  /** The neighbour's name as written in its header. */
  readonly name: string;
}

const STEP = "  ";

/** The layout of the new table's nearest neighbour: the last table under the same first key, if possible of the same depth. */
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
