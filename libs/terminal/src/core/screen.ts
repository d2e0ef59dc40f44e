// SPDX-License-Identifier: Apache-2.0

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** Where text for people goes: a terminal, a pipe or a file. */
export interface Screen {
  /** Width of the terminal; Infinity where the output is not a terminal, since a program may read it. */
  readonly columns: number;
  /** Number of columns that the text takes on a terminal. */
  widthOf(text: string): number;
  /** The text in this style, or unchanged where the output has no colours. */
  paint(style: Style, text: string): string;
}
