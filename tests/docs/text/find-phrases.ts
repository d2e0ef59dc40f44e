// SPDX-License-Identifier: Apache-2.0

/** Words of a phrase, separated by single spaces; "…" stands for any word in lower case. */
const phrases: readonly string[] = [
  "nobody",
  "whoever",
  "told of",
  "tells of",
  "anew",
  "is not heard",
  "passed over",
  "what was left",
  "whose word",
  "who says",
  "nothing that",
  "is no …",
  "is not all pods",
  "does not tell what runs",
  "has processes yet",
  "says less than it seems",
  "next life",
  "looked at again and again",
  "what came to",
  "pass the hook by",
  "may have signed",
  "has to say who they are",
  "that are meant",
  "what is made before",
];

/** Between two words: the end of a line with the marks of a comment, or the quotes and + of a text in two parts. */
const gap = /[\s/*"'`+]+/g;
const toPattern = (phrase: string): string =>
  phrase
    .split(" ")
    .map((word) => (word === "…" ? "[a-z]+" : word))
    .join(gap.source);
const pattern = new RegExp(String.raw`\b(?:${phrases.map(toPattern).join("|")})\b`, "gi");

export interface Phrase {
  /** From 1: where it begins. */
  readonly line: number;
  /** With single spaces. */
  readonly text: string;
}

/** The phrases in a source or a document that this project does not use. */
export function findPhrases(source: string): readonly Phrase[] {
  return [...source.matchAll(pattern)].map((match) => ({
    line: source.slice(0, match.index).split("\n").length,
    text: match[0].replace(gap, " "),
  }));
}
