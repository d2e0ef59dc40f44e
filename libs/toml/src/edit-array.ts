// SPDX-License-Identifier: Apache-2.0

import type { AST } from "toml-eslint-parser";
import type { Splice } from "./find-splices.ts";
import { findIndent } from "./layout.ts";
import { renderValue } from "./render-toml.ts";

const toContent = (node: AST.TOMLContentNode): unknown =>
  node.type === "TOMLValue" ? node.value : undefined;

/** Appends elements; each on its own line if the last element is. */
export function addElements(
  text: string,
  list: AST.TOMLArray,
  texts: readonly string[],
  lineEnding: string,
): readonly Splice[] {
  const known = list.elements.map(toContent);
  const missing = texts.filter((wanted, at) => !known.includes(wanted) && texts.indexOf(wanted) === at);
  if (missing.length === 0) return [];
  const rendered = missing.map(renderValue);
  const last = list.elements.at(-1);
  if (last === undefined) {
    // An empty list may contain comments, so the elements go right after its opening bracket.
    const at = list.range[0] + 1;
    const hasComment = text.slice(...list.range).includes("#");
    return [{ start: at, end: at, text: rendered.join(", ") + (hasComment ? "," : "") }];
  }
  const isOnOwnLine = text.slice(text.lastIndexOf("\n", last.range[0]) + 1, last.range[0]).trim() === "";
  const isMultiline = isOnOwnLine && text.slice(...list.range).includes("\n");
  const lineEnd = text.indexOf("\n", last.range[1]) + 1;
  if (isOnOwnLine && lineEnd > 0 && lineEnd < list.range[1]) {
    // After the comment of the last element, which belongs to it.
    const hasComma = /^[ \t]*,/.test(text.slice(last.range[1], lineEnd));
    const indent = findIndent(text, last.range[0]);
    const lines = rendered.map(
      (one, at) => `${indent}${one}${at < rendered.length - 1 || hasComma ? "," : ""}${lineEnding}`,
    );
    return [
      { start: lineEnd, end: lineEnd, text: lines.join("") },
      ...(hasComma ? [] : [{ start: last.range[1], end: last.range[1], text: "," }]),
    ];
  }
  const separator = isMultiline ? `,${lineEnding}${findIndent(text, last.range[0])}` : ", ";
  return [
    { start: last.range[1], end: last.range[1], text: rendered.map((one) => separator + one).join("") },
  ];
}

export function dropElement(text: string, list: AST.TOMLArray, dropped: string): readonly Splice[] {
  const at = list.elements.findIndex((element) => toContent(element) === dropped);
  const element = list.elements[at];
  if (element === undefined) return [];
  const [start, end] = element.range;
  const next = list.elements[at + 1];
  const previous = list.elements[at - 1];
  const until = next?.range[0] ?? list.range[1];
  if (next !== undefined && !text.slice(end, until).includes("#")) return [{ start, end: until, text: "" }];
  if (next === undefined && previous !== undefined && !text.slice(previous.range[1], until).includes("#")) {
    return [{ start: previous.range[1], end, text: "" }];
  }
  // Comments stay. The comma after the element is removed, if it has one.
  const comma = findComma(text, end, until);
  if (comma === undefined) return [{ start, end, text: "" }];
  if (text.slice(end, comma).trim() === "") return [{ start, end: comma + 1, text: "" }];
  return [
    { start, end, text: "" },
    { start: comma, end: comma + 1, text: "" },
  ];
}

/** The next comma outside of comments. */
function findComma(text: string, from: number, until: number): number | undefined {
  for (let at = from; at < until; at++) {
    if (text[at] === ",") return at;
    if (text[at] !== "#") continue;
    const end = text.indexOf("\n", at);
    if (end === -1) return undefined;
    at = end;
  }
  return undefined;
}
