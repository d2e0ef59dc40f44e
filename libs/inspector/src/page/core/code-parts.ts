// SPDX-License-Identifier: Apache-2.0

export interface TextPart {
  readonly text: string;
  /** It stands between backticks: a command, say. */
  readonly isCode: boolean;
}

/** "run `tetragon status` there" in three parts. A backtick without another one stays. */
export const splitCode = (text: string): readonly TextPart[] =>
  text
    .split(/`([^`]+)`/)
    .map((part, at) => ({ text: part, isCode: at % 2 === 1 }))
    .filter((part) => part.text !== "");
