// SPDX-License-Identifier: Apache-2.0

import { describeError, err, ok, type Result } from "@rthooks/result";

/** The objects of a text that has JSON objects one after the other, also without anything between them. */
export function parseJsonObjects(text: string): Result<readonly Readonly<Record<string, unknown>>[], string> {
  const objects: Readonly<Record<string, unknown>>[] = [];
  for (let at = skipSpace(text, 0); at < text.length; ) {
    const end = findEnd(text, at);
    if (text[at] !== "{" || end === undefined) {
      return err(`JSON objects are expected, not ${JSON.stringify(text.slice(at, at + 20))}`);
    }
    try {
      objects.push(JSON.parse(text.slice(at, end)));
    } catch (error) {
      return err(
        `${JSON.stringify(text.slice(at, Math.min(end, at + 40)))} is not JSON: ${describeError(error)}`,
      );
    }
    at = skipSpace(text, end);
  }
  return ok(objects);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? "")) at++;
  return at;
}

/** Behind the brace that closes the object; undefined where it is not closed. */
function findEnd(text: string, from: number): number | undefined {
  let depth = 0;
  let isInText = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (isInText) {
      if (character === "\\") at++;
      else if (character === '"') isInText = false;
    } else if (character === '"') isInText = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
