// SPDX-License-Identifier: Apache-2.0

/** "a,b" in its elements: `\,` is a comma of an element, space around elements and empty elements do not count. */
export function splitList(text: string): readonly string[] {
  return split(text)
    .map((element) => element.replaceAll("\\,", ",").trim())
    .filter((element) => element !== "");
}

/**
 * Regular expressions apart: a comma in braces, brackets or parentheses is the expression's own, and so is one
 * behind a backslash.
 */
export function splitPatterns(text: string): readonly string[] {
  let open = "";
  return split(text, (character) => {
    const closing = { "{": "}", "[": "]", "(": ")" }[character];
    if (open.startsWith("]")) {
      // A set of characters ends at its bracket, whatever else is in it.
      if (character === "]") open = open.slice(1);
    } else if (closing !== undefined) open = closing + open;
    else if (open.startsWith(character)) open = open.slice(1);
    return open !== "";
  }).filter((element) => element !== "");
}

/** Without `isInside` nothing is called for each character: lists are long, and each start of the hook reads them. */
function split(text: string, isInside?: (character: string) => boolean): string[] {
  const elements: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\") at++;
    else if (isInside?.(character) !== true && character === ",") {
      elements.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...elements, text.slice(start)];
}
