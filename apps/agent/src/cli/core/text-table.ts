// SPDX-License-Identifier: Apache-2.0

/** The first line is the header; each column is as wide as its longest cell. */
export function renderTable(lines: readonly (readonly string[])[]): string {
  const cells = lines.map((line) => line.map(toPrintable));
  const [header = []] = cells;
  const widths = header.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** Escapes control characters: names come from pod authors and must not reach the terminal as commands. */
export function toPrintable(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** `columns`: width of the terminal; Infinity where the output is not a terminal. */
export const cutLine = (line: string, columns: number): string =>
  line.length > columns ? `${line.slice(0, Math.max(0, columns - 1))}…` : line;
