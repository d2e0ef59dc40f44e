// SPDX-License-Identifier: Apache-2.0

export interface TomlError {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The reason, without the position. */
  readonly reason: string;
  /** The line, with a mark below the column. */
  readonly excerpt: string;
}

/** `offset` in UTF-16 units of the text. */
export function toTomlError(text: string, offset: number, reason: string): TomlError {
  const at = Math.max(0, Math.min(offset, text.length));
  const start = text.slice(0, at).lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", at);
  const line = text.slice(0, start).split("\n").length;
  const column = at - start + 1;
  const content = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, "");
  return { line, column, reason, excerpt: markColumn(content, line, column) };
}

const MAX_WIDTH = 120;

function markColumn(content: string, line: number, column: number): string {
  const from = Math.max(0, column - MAX_WIDTH / 2);
  // Control characters of the file must not reach a terminal.
  const shown = content.slice(from, from + MAX_WIDTH).replace(/[\p{Cc}\p{Cf}]/gu, " ");
  const head = `${line} | `;
  return `${head}${shown}\n${" ".repeat(head.length + column - 1 - from)}^`;
}

/** One line: "line 3, column 5: …". */
export const renderTomlError = ({ line, column, reason }: TomlError): string =>
  `line ${line}, column ${column}: ${reason}`;
